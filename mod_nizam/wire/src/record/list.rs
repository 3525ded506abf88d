//! A list of records in a record, read in place.

use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// Items in order, without an allocation: each in the postcard encoding, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List<'a, T>(#[serde(borrow)] &'a [u8], #[serde(skip)] PhantomData<T>);

impl<T> Default for List<'_, T> {
    fn default() -> Self {
        Self(&[], PhantomData)
    }
}

impl<'a, T: Deserialize<'a>> List<'a, T> {
    /// The items; ends early where the bytes are none.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (item, behind) = postcard::take_from_bytes::<T>(rest).ok()?;
            rest = behind;
            Some(item)
        })
    }
}

/// A list while it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListBuf(Vec<u8>);

impl ListBuf {
    /// A list of these.
    pub fn of<T: Serialize>(items: impl IntoIterator<Item = T>) -> Self {
        let mut list = Self::default();
        items.into_iter().for_each(|item| list.push(&item));
        list
    }

    /// Appends an item.
    pub fn push(&mut self, item: &impl Serialize) {
        self.0.extend(super::encode(item));
    }

    /// The list so far; whoever reads it says what its items are.
    pub fn as_list<T>(&self) -> List<'_, T> {
        List(&self.0, PhantomData)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_back_in_order_and_damage_ends_them() {
        let mut buf = ListBuf::of([(1_u16, "a"), (2, "")]);
        let items: Vec<(u16, &str)> = buf.as_list().iter().collect();
        assert_eq!(items, [(1, "a"), (2, "")]);
        buf.0.push(200);
        assert_eq!(buf.as_list::<(u16, &str)>().iter().count(), 2);
    }
}

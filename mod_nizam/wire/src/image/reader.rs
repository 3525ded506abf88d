//! Reading an image: opening, lookup by key, walking one scope.

use super::table::{Entry, Table, touch};
use super::{Header, ImageError, Kind, PLATFORM, Scope, slot};
use crate::memory::Mapping;
use std::fmt;

/// So many bytes of a tenant come at once: all that a call needs of a small one.
const NEAR: usize = 1536;

/// Of so many bytes a processor does not remember where all of their 4 KiB pages are.
const LARGE: usize = 8 << 20;

/// Where an image's bytes live.
enum Bytes {
    Owned(Vec<u8>),
    Mapped(Mapping),
}

/// An opened image. Immutable; every offset in it is checked whenever it is followed.
pub struct Image {
    header: Header,
    bytes: Bytes,
}

/// What an image says about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// Nothing: ask an older image.
    Absent,
    /// It was deleted: do not ask an older image.
    Gone,
    /// The record's value.
    Value(&'a [u8]),
}

impl Image {
    /// Opens an image in this process's own memory, as read from a file.
    pub fn from_vec(bytes: Vec<u8>) -> Result<Self, ImageError> {
        let header = Header::read(&bytes)?;
        Ok(Self { header, bytes: Bytes::Owned(bytes) }.in_large_pages())
    }

    /// Opens an image in sealed shared memory.
    pub fn from_mapping(mapping: Mapping) -> Result<Self, ImageError> {
        let header = Header::read(mapping.bytes())?;
        Ok(Self { header, bytes: Bytes::Mapped(mapping) })
    }

    /// The same, where it is large in memory that is quick to read at random. Copies it: not for a thread that a call waits for.
    #[must_use]
    pub fn in_large_pages(self) -> Self {
        let copy = if self.bytes().len() < LARGE { None } else { Mapping::copy(self.bytes()).ok() };
        match copy {
            Some(copy) => Self { header: self.header, bytes: Bytes::Mapped(copy) },
            None => self,
        }
    }

    /// The checked header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The image's name: its checksum.
    pub fn id(&self) -> u64 {
        self.header.checksum
    }

    /// All bytes, header included.
    pub fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Owned(bytes) => bytes,
            Bytes::Mapped(mapping) => mapping.bytes(),
        }
    }

    /// Finds a key whose [`slot::hash`] with this image's seed is `hash`.
    pub fn get(&self, hash: u64, kind: Kind, scope: &Scope, key: &[u8]) -> Lookup<'_> {
        let entry = self.table(scope).and_then(|table| self.find(&table, hash, kind, key));
        entry.map_or(Lookup::Absent, |entry| entry.value.map_or(Lookup::Gone, Lookup::Value))
    }

    /// The record of a key in the scope whose table that is.
    pub fn find(&self, table: &Table, hash: u64, kind: Kind, key: &[u8]) -> Option<Entry<'_>> {
        table.find(self.bytes(), hash, kind, key)
    }

    /// The table of a scope. `None`: it has no records here.
    pub fn table(&self, scope: &Scope) -> Option<Table> {
        let platform = self.header.platform;
        if *scope == PLATFORM {
            return Some(platform);
        }
        let bytes = self.bytes();
        platform
            .places(bytes, slot::hash_scope(self.header.seed, scope))
            .filter_map(|at| Table::read(bytes, at))
            .find(|table| table.scope() == scope)
    }

    /// The table of a tenant, from a record of the platform that is about it. `None`: the record does not say, or it is not there.
    pub fn table_near(&self, near: u32, scope: &Scope) -> Option<Table> {
        let at = near as usize * 8;
        touch(self.bytes(), at, NEAR);
        Table::read(self.bytes(), at).filter(|table| near != 0 && table.scope() == scope)
    }

    /// Has the memory of these keys of a scope come all at once, not one after the other as each is looked up: of many tenants
    /// nobody's cache holds all.
    pub fn expect<const N: usize>(&self, table: &Table, keys: [(Kind, &[u8]); N]) {
        if !table.is_within(NEAR) {
            let seed = self.header.seed;
            table.touch(self.bytes(), keys.map(|(kind, key)| slot::hash(seed, kind, table.scope(), key)));
        }
    }

    /// All records of one kind in one scope in the order of their keys, deletions included.
    pub fn scope<'a>(&'a self, scope: &Scope, kind: Kind) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        self.table(scope).into_iter().flat_map(move |table| table.kind(self.bytes(), kind))
    }

    /// All records in order of scope, kind and key, deletions included.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        let bytes = self.bytes();
        let tables = std::iter::successors(Some(self.header.platform), move |table| {
            // Further on, or else it would go round and round.
            Table::read(bytes, table.end())
        });
        tables.flat_map(move |table| table.all(bytes))
    }

    /// A record of a tenant, chosen by `pick`, any number: what measurements draw their keys from.
    pub fn sample(&self, pick: u64) -> Option<Entry<'_>> {
        let bytes = self.bytes();
        let is_listed = |table: &Table| {
            let hash = slot::hash_scope(self.header.seed, table.scope());
            self.header.platform.places(bytes, hash).any(|at| Table::read(bytes, at).as_ref() == Some(table))
        };
        let tables = self.header.platform.any(bytes, pick).filter_map(|at| Table::read(bytes, at));
        let table = tables.into_iter().find(is_listed)?;
        table.any(bytes, pick.rotate_right(32)).find_map(|at| Some(table.record(bytes, at)?.0))
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image").field("header", &self.header).finish_non_exhaustive()
    }
}

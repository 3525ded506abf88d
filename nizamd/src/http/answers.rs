//! What an operation answers where all is well, for documents and tests.

use nizam_core::resource::Field;

/// What an operation answers where all is well. The names are those of schemas.
#[derive(Clone, Copy, Debug)]
pub enum Answers {
    /// 200 with `{"data": …}`.
    Data(&'static str),
    /// 201 with `{"data": …}`.
    Created(&'static str),
    /// 200 with a page of a list, and the fields by which it can be filtered and sorted.
    Page(&'static str, &'static [Field]),
    /// 200 with a page in the flat form.
    Flat(&'static str),
    /// 200 with the schema itself.
    Bare(&'static str),
    /// 201 with the schema itself.
    CreatedBare(&'static str),
    /// 200 with a text of that type.
    Text(&'static str),
    /// 204.
    Nothing,
}

impl Answers {
    /// The status.
    pub fn status(self) -> u16 {
        match self {
            Self::Data(_) | Self::Page(..) | Self::Bare(_) | Self::Flat(_) | Self::Text(_) => 200,
            Self::Created(_) | Self::CreatedBare(_) => 201,
            Self::Nothing => 204,
        }
    }
}

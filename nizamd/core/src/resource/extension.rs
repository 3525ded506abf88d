//! How lists of extensions are filtered and sorted. Extensions themselves have a type of their own.

use super::field::{Default, Field, Kind};
use crate::validate::extension_key;
use crate::validate::rule::{NUMBER, PLAIN};

/// The fields by which lists of extensions can be filtered and sorted.
pub const EXTENSION_LIST: &[Field] = &[
    Field::required("extension", Kind::Text(NUMBER)).filter().sort().folded(extension_key),
    Field::required("directory_first_name", Kind::Text(PLAIN)).filter(),
    Field::required("directory_last_name", Kind::Text(PLAIN)).filter(),
    Field::optional("voicemail_enabled", Kind::Flag, Default::Flag(false)).filter(),
    Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
];

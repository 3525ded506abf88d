//! Several images into one.

use super::{BuildError, Builder, Entry, Image, Kind, PLATFORM, Scope};

/// Merges neighbouring layers, newest first, into one image with the generation of the newest.
///
/// If the last of them is a base, the result is one: deletions are dropped, and so are the records of tenants
/// that are no more. Otherwise it is an overlay that keeps its deletions.
pub fn merge(layers: &[&Image]) -> Result<Vec<u8>, BuildError> {
    let generation = layers.iter().map(|image| image.header().generation).max().unwrap_or(0);
    let seed = layers.first().map_or(0, |image| image.header().seed);
    let overlay = layers.last().is_none_or(|image| image.header().overlay);
    let mut builder =
        if overlay { Builder::overlay(generation, seed) } else { Builder::base(generation, seed) };
    builder.reserve(
        layers.iter().map(|image| usize::try_from(image.header().record_count).unwrap_or(0)).sum(),
        layers.iter().map(|image| image.bytes().len()).sum(),
    );
    // Of the tenant whose records come: whether it is one.
    let (mut scope, mut is_known) = (PLATFORM, true);
    for entry in newest(layers) {
        if !overlay {
            if entry.scope != scope {
                scope = entry.scope;
                // It sorts before what the tenant has.
                is_known = entry.kind == Kind::Tenant && entry.value.is_some();
            }
            if !is_known || entry.value.is_none() {
                continue;
            }
        }
        builder.put(entry.kind, entry.scope, entry.key, entry.value)?;
    }
    builder.finish()
}

/// Every key of the layers once, in order, with what the newest layer says of it.
fn newest<'a>(layers: &[&'a Image]) -> impl Iterator<Item = Entry<'a>> {
    merge_newest(layers.iter().map(|image| image.iter()).collect())
}

/// Merges sorted walks, the newest first: of equal keys the first walk's entry counts.
fn merge_newest<'a, I>(walks: Vec<I>) -> impl Iterator<Item = Entry<'a>>
where
    I: Iterator<Item = Entry<'a>>,
{
    let mut walks: Vec<_> = walks.into_iter().map(Iterator::peekable).collect();
    std::iter::from_fn(move || {
        let mut best: Option<Entry<'a>> = None;
        for walk in &mut walks {
            if let Some(entry) = walk.peek()
                && best.is_none_or(|best| entry.order() < best.order())
            {
                best = Some(*entry);
            }
        }
        let best = best?;
        for walk in &mut walks {
            if walk.peek().is_some_and(|entry| entry.order() == best.order()) {
                walk.next();
            }
        }
        Some(best)
    })
}

/// One scope's records of one kind over all layers, newest first, deletions left out.
pub fn scope<'a, I: Iterator<Item = &'a Image>>(
    layers: I,
    scope: &Scope,
    kind: Kind,
) -> impl Iterator<Item = Entry<'a>> + use<'a, I> {
    let walks: Vec<_> = layers.map(|image| image.scope(scope, kind)).collect();
    merge_newest(walks).filter(|entry| entry.value.is_some())
}

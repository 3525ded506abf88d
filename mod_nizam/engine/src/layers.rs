//! The images that answer at one moment.

use nizam_wire::image::{self, Entry, Image, Kind, Lookup, MAX_KEY, Scope};
use std::sync::Arc;

/// Where a stack of images came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// There is none.
    Nothing,
    /// The snapshot on disk.
    Snapshot,
    /// A daemon, over the link.
    Daemon,
}

/// A base and the overlays above it, newest first. Immutable.
#[derive(Debug)]
pub struct Layers {
    images: Vec<Arc<Image>>,
    generation: u64,
    origin: Origin,
}

impl Layers {
    /// No images: nothing is ours.
    pub fn none() -> Self {
        Self { images: Vec::new(), generation: 0, origin: Origin::Nothing }
    }

    /// A stack of these images, newest first.
    pub fn new(images: Vec<Arc<Image>>, origin: Origin) -> Self {
        let generation = images.iter().map(|image| image.header().generation).max().unwrap_or(0);
        Self { images, generation, origin }
    }

    /// The images, newest first.
    pub fn images(&self) -> &[Arc<Image>] {
        &self.images
    }

    /// Their ids, newest first.
    pub fn ids(&self) -> Vec<u64> {
        self.images.iter().map(|image| image.id()).collect()
    }

    /// The newest generation in them.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Where they came from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Number of bytes in all images.
    pub fn bytes(&self) -> u64 {
        self.images.iter().map(|image| image.bytes().len() as u64).sum()
    }

    /// The value of a key, from the newest image that knows it.
    pub fn get(&self, kind: Kind, scope: &Scope, key: &[u8]) -> Option<&[u8]> {
        let mut hashed: Option<(u64, u64)> = None;
        for image in &self.images {
            let seed = image.header().seed;
            let hash = match hashed {
                // One daemon's images share a seed, so this is hashed once.
                Some((of, hash)) if of == seed => hash,
                _ => image::hash(seed, kind, scope, key)?,
            };
            hashed = Some((seed, hash));
            match image.get(hash, kind, scope, key) {
                Lookup::Absent => {}
                Lookup::Gone => return None,
                Lookup::Value(value) => return Some(value),
            }
        }
        None
    }

    /// Has the memory of these keys come from the base all at once, not one after the other as each is looked up: of many tenants
    /// nobody's cache holds all. The layers above the base are small.
    pub fn expect<const N: usize>(&self, keys: [(Kind, &Scope, &[u8]); N]) {
        let Some(base) = self.images.last() else { return };
        let seed = base.header().seed;
        let hashes = keys.map(|(kind, scope, key)| image::hash(seed, kind, scope, key));
        let slots = hashes.map(|hash| hash.map(|hash| (hash, base.slot(hash))));
        for (hash, slot) in slots.into_iter().flatten() {
            base.touch(hash, slot);
        }
    }

    /// All records of one kind in one scope, in the order of their keys.
    pub fn scope(&self, scope: &Scope, kind: Kind) -> impl Iterator<Item = Entry<'_>> {
        image::scope(self.images.iter().map(Arc::as_ref), scope, kind)
    }
}

/// A key in lower case on the stack. `None`: longer than any key.
pub(crate) struct LowerKey {
    bytes: [u8; MAX_KEY],
    length: usize,
}

impl LowerKey {
    pub(crate) fn new(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_KEY];
        let place = bytes.get_mut(..text.len())?;
        place.copy_from_slice(text);
        place.make_ascii_lowercase();
        Some(Self { bytes, length: text.len() })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

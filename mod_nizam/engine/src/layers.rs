//! The images that answer at one moment.

use nizam_wire::image::{self, Entry, Image, Kind, MAX_KEY, ONLY, PLATFORM, Scope, Table};
use nizam_wire::record::Tenant;
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
        self.find(kind, scope, key, |_, image| image.table(scope))?.1.value
    }

    /// A record of the platform that leads to a tenant.
    pub fn lead(&self, kind: Kind, key: &[u8]) -> Option<Lead<'_>> {
        let (layer, entry) = self.find(kind, &PLATFORM, key, |_, image| image.table(&PLATFORM))?;
        Some(Lead { value: entry.value?, layer, near: entry.near })
    }

    /// The records of the tenant that has a domain, in lower case.
    pub fn of_domain(&self, domain: &[u8]) -> Option<Scoped<'_>> {
        let lead = self.lead(Kind::Domain, domain)?;
        Some(self.of(lead.value.try_into().ok()?, Some(lead)))
    }

    /// The tenants, in the order of their domains.
    pub fn tenants(&self) -> impl Iterator<Item = Tenant<'_>> {
        let ids = self.scope(&PLATFORM, Kind::Domain).filter_map(|entry| entry.value?.try_into().ok());
        ids.filter_map(|id| self.of(id, None).tenant())
    }

    /// The records of a tenant; where something of the platform leads to it, that is the shorter way.
    pub fn of(&self, tenant: &Scope, lead: Option<Lead<'_>>) -> Scoped<'_> {
        Scoped::new(self, *tenant, lead)
    }

    /// The newest record of a key, and the number of its image. `table` says where an image has the scope.
    fn find(
        &self,
        kind: Kind,
        scope: &Scope,
        key: &[u8],
        table: impl Fn(usize, &Image) -> Option<Table>,
    ) -> Option<(usize, Entry<'_>)> {
        let mut hashed: Option<(u64, u64)> = None;
        for (layer, image) in self.images.iter().enumerate() {
            let Some(table) = table(layer, image) else { continue };
            let seed = image.header().seed;
            let hash = match hashed {
                // One daemon's images share a seed, so this is hashed once.
                Some((of, hash)) if of == seed => hash,
                _ => image::hash(seed, kind, scope, key)?,
            };
            hashed = Some((seed, hash));
            if let Some(entry) = image.find(&table, hash, kind, key) {
                return Some((layer, entry));
            }
        }
        None
    }

    /// All records of one kind in one scope, in the order of their keys.
    pub fn scope(&self, scope: &Scope, kind: Kind) -> impl Iterator<Item = Entry<'_>> {
        image::scope(self.images.iter().map(Arc::as_ref), scope, kind)
    }
}

/// A record of the platform, and where the tenant is that it is about.
#[derive(Clone, Copy, Debug)]
pub struct Lead<'a> {
    /// The record's value.
    pub value: &'a [u8],
    layer: usize,
    near: u32,
}

/// The records of one tenant. Where they begin in the base is looked up once, and which of the layers above it have any.
#[derive(Clone, Copy, Debug)]
pub struct Scoped<'a> {
    layers: &'a Layers,
    tenant: Scope,
    /// Its table in the layer with that number, the base if nothing led elsewhere.
    table: Option<Table>,
    layer: usize,
    /// A bit for each layer; those beyond are always asked.
    asked: u64,
}

impl<'a> Scoped<'a> {
    fn new(layers: &'a Layers, tenant: Scope, lead: Option<Lead<'_>>) -> Self {
        let near = lead.and_then(|lead| {
            let table = layers.images.get(lead.layer)?.table_near(lead.near, &tenant)?;
            Some((lead.layer, Some(table)))
        });
        let base = layers.images.len().saturating_sub(1);
        let (layer, table) =
            near.unwrap_or_else(|| (base, layers.images.last().and_then(|image| image.table(&tenant))));
        let mut asked = 0;
        for (number, image) in layers.images.iter().enumerate().take(64) {
            let has = if number == layer { table.is_some() } else { image.table(&tenant).is_some() };
            asked |= u64::from(has) << number;
        }
        Self { layers, tenant, table, layer, asked }
    }

    /// The tenant's id.
    pub fn id(&self) -> &Scope {
        &self.tenant
    }

    /// The value of a key, from the newest image that knows it.
    pub fn get(&self, kind: Kind, key: &[u8]) -> Option<&'a [u8]> {
        let table = |layer: usize, image: &Image| {
            if layer == self.layer {
                self.table
            } else if layer < 64 && self.asked >> layer & 1 == 0 {
                None
            } else {
                image.table(&self.tenant)
            }
        };
        self.layers.find(kind, &self.tenant, key, table)?.1.value
    }

    /// The tenant itself.
    pub fn tenant(&self) -> Option<Tenant<'a>> {
        Tenant::decode(self.get(Kind::Tenant, ONLY)?).ok().filter(|tenant| tenant.id == self.tenant)
    }

    /// Has the memory of these keys come from the base all at once, not one after the other as each is looked up: of many tenants
    /// nobody's cache holds all. The layers above the base are small.
    pub fn expect<const N: usize>(&self, keys: [(Kind, &[u8]); N]) {
        if let Some((table, image)) = self.table.as_ref().zip(self.layers.images.get(self.layer)) {
            image.expect(table, keys);
        }
    }

    /// All records of one kind, in the order of their keys.
    pub fn scope(&self, kind: Kind) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        image::scope(self.layers.images.iter().map(Arc::as_ref), &self.tenant, kind)
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

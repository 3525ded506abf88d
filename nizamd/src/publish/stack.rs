//! Which images are served, and when they are merged. Decides; does no I/O but sealing memory.

use super::layer::{Layer, LayerError};
use nizam_wire::image;

/// An overlay that would grow beyond this many records is left alone until the next fold: merging it would make
/// an edit wait.
const MERGE_MOST: u64 = 4096;

/// Below this many records in overlays a fold is not worth it.
const FOLD_LEAST: u64 = 4096;

/// So many layers are folded whatever their size.
const FOLD_LAYERS: usize = 24;

/// The images that switches answer with: a base, and overlays above it whose sizes shrink by a factor of four or
/// more towards the newest, so that there are few of them and each record is copied a few times only.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Newest first; the last is a base.
    layers: Vec<Layer>,
    /// How many of the oldest are being folded, and must stay as they are meanwhile.
    folding: usize,
    /// Whether what is being folded was replaced meanwhile.
    replaced: bool,
}

impl Stack {
    /// A stack of a base alone.
    pub fn new(base: Layer) -> Self {
        Self { layers: vec![base], folding: 0, replaced: false }
    }

    /// The layers, newest first.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The newest generation.
    pub fn generation(&self) -> u64 {
        self.layers.iter().map(|layer| layer.image.header().generation).max().unwrap_or(0)
    }

    /// Puts an overlay on top, merged with the small ones below it.
    pub fn push(&mut self, overlay: Layer) -> Result<(), LayerError> {
        let (mut count, mut records) = (0, overlay.record_count());
        let fixed = if self.replaced { 1 } else { self.folding.max(1) };
        for below in self.layers.iter().take(self.layers.len().saturating_sub(fixed)) {
            if below.record_count() >= 4 * records || records + below.record_count() > MERGE_MOST {
                break;
            }
            records += below.record_count();
            count += 1;
        }
        let merged = if count == 0 {
            overlay
        } else {
            let mut layers = vec![overlay.image.as_ref()];
            layers.extend(self.layers.iter().take(count).map(|layer| layer.image.as_ref()));
            merge(&layers)?
        };
        self.layers.splice(..count, [merged]);
        Ok(())
    }

    /// Puts a new base in the place of all layers. What is being folded is out of date then.
    pub fn replace(&mut self, base: Layer) {
        self.layers = vec![base];
        self.replaced = self.folding > 0;
    }

    /// Whether the overlays have become so many or so large that a new base is due.
    pub fn wants_fold(&self) -> bool {
        let base = self.layers.last().map_or(0, Layer::record_count);
        let all: u64 = self.layers.iter().map(Layer::record_count).sum();
        self.folding == 0 && (self.layers.len() > FOLD_LAYERS || all - base > FOLD_LEAST.max(base / 16))
    }

    /// The layers to [`fold`]; edits go on top of them meanwhile.
    pub fn begin_fold(&mut self) -> Vec<Layer> {
        self.folding = self.layers.len();
        self.layers.clone()
    }

    /// Puts the new base in the place of the layers it was folded from; without one, leaves them as they are.
    pub fn end_fold(&mut self, base: Option<Layer>) {
        let folded = std::mem::take(&mut self.folding);
        let replaced = std::mem::take(&mut self.replaced);
        if let Some(base) = base.filter(|_| !replaced) {
            self.layers.truncate(self.layers.len().saturating_sub(folded));
            self.layers.push(base);
        }
    }
}

/// All layers as one. Takes a second or two for a million records: for a thread that may take its time.
pub fn fold(layers: &[Layer]) -> Result<Layer, LayerError> {
    let images: Vec<_> = layers.iter().map(|layer| layer.image.as_ref()).collect();
    merge(&images)
}

fn merge(images: &[&image::Image]) -> Result<Layer, LayerError> {
    // The records of images that were built are all of lengths that can be built.
    let bytes = image::merge(images).map_err(|error| std::io::Error::other(error.to_string()))?;
    Layer::new(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nizam_wire::image::ONLY;
    use nizam_wire::record::{PairsBuf, State, Tenant};
    use nizam_wire::{Builder, Kind};

    fn layer(builder: Builder) -> Layer {
        Layer::new(&builder.finish().unwrap()).unwrap()
    }

    fn base() -> Layer {
        let mut builder = Builder::base(1, 9);
        let pairs = PairsBuf::default();
        let variables = pairs.as_pairs();
        let tenant = Tenant {
            id: [1; 16],
            domain: "d",
            state: State::Open,
            ring_timeout: 9,
            dial_string: "",
            variables,
            variables_xml: "",
        };
        builder.put(Kind::Tenant, [1; 16], ONLY, Some(&tenant.encode())).unwrap();
        layer(builder)
    }

    fn edit(generation: u64) -> Layer {
        let mut builder = Builder::overlay(generation, 9);
        builder.put(Kind::Extension, [1; 16], generation.to_string().as_bytes(), Some(b"x")).unwrap();
        layer(builder)
    }

    #[test]
    fn many_edits_keep_the_stack_short_and_a_fold_makes_it_one() {
        let mut stack = Stack::new(base());
        let mut deepest = 0;
        let mut generation = 1;
        while !stack.wants_fold() {
            generation += 1;
            stack.push(edit(generation)).unwrap();
            deepest = deepest.max(stack.layers().len());
            assert_eq!(stack.generation(), generation);
            assert!(!stack.layers().last().unwrap().image.header().overlay, "the base stays last");
        }
        assert!(deepest <= 9, "{deepest} layers for {generation} edits");
        let folding = stack.begin_fold();
        assert!(!stack.wants_fold(), "one at a time");
        stack.push(edit(generation + 1)).unwrap();
        stack.push(edit(generation + 2)).unwrap();
        let base = fold(&folding).unwrap();
        stack.end_fold(Some(base));
        assert_eq!(stack.layers().len(), 2, "what came while the fold was made stays on top of it");
        assert_eq!(stack.layers()[0].record_count(), 2);
        assert_eq!(stack.layers()[1].record_count(), generation);
        assert_eq!(stack.generation(), generation + 2);
        stack.begin_fold();
        stack.end_fold(None);
        assert_eq!(stack.layers().len(), 2, "a fold that failed changes nothing");
        let folding = stack.begin_fold();
        stack.replace(layer(Builder::base(generation + 9, 9)));
        stack.push(edit(generation + 10)).unwrap();
        stack.end_fold(Some(fold(&folding).unwrap()));
        assert_eq!(stack.layers().len(), 2, "what was folded is out of date");
        assert_eq!((stack.layers()[1].record_count(), stack.generation()), (0, generation + 10));
    }
}

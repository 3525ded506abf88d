//! The snapshot: what was written is served again, and nothing damaged is.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod common;

use common::{ACME, base, extension, image, put};
use nizam_engine::snapshot::{SnapshotError, Writer, read};
use nizam_engine::{Engine, Origin};
use nizam_wire::Builder;
use nizam_wire::image::Image;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn overlay(generation: u64) -> Arc<Image> {
    let mut builder = Builder::overlay(generation, common::SEED);
    put(&mut builder, ACME, &extension(&generation.to_string()));
    image(builder)
}

fn files(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

fn path_of(directory: &Path, image: &Image) -> PathBuf {
    directory.join(format!("{:016x}.image", image.id()))
}

#[test]
fn the_newest_stack_comes_back_and_old_files_go() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(directory.path()).unwrap();
    let base = base();
    writer.write(&[overlay(41), Arc::clone(&base)]).unwrap();
    writer.write(&[overlay(43), overlay(42), Arc::clone(&base)]).unwrap();
    assert_eq!(files(directory.path()), 4);
    let engine = Engine::default();
    let said = engine.load_snapshot(directory.path());
    assert!(said.contains("generation 43"), "{said}");
    let layers = engine.live.load();
    assert_eq!((layers.generation(), layers.images().len(), layers.origin()), (43, 3, Origin::Snapshot));
    let mode = fs::metadata(path_of(directory.path(), &base)).unwrap().permissions().mode();
    assert_eq!(mode & 0o007, 0, "images hold passwords");
    // A new daemon removes what the one before left.
    fs::write(directory.path().join("0000000000000001.image"), "x").unwrap();
    Writer::new(directory.path()).unwrap().write(&[base]).unwrap();
    assert_eq!(files(directory.path()), 2);
}

#[test]
fn a_damaged_overlay_leaves_the_generation_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (overlay(41), overlay(42));
    Writer::new(directory.path()).unwrap().write(&[Arc::clone(&new), old, base()]).unwrap();
    let path = path_of(directory.path(), &new);
    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    fs::write(&path, bytes).unwrap();
    let loaded = read(directory.path()).unwrap();
    assert_eq!(loaded.images.len(), 2);
    assert!(loaded.problem.unwrap().contains("damaged"));
}

#[test]
fn a_damaged_base_a_foreign_file_and_nothing_at_all_are_refused_with_a_reason() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(read(directory.path()), Err(SnapshotError::Io { .. })));
    let base = base();
    Writer::new(directory.path()).unwrap().write(&[Arc::clone(&base)]).unwrap();
    fs::write(
        path_of(directory.path(), &base),
        b"\x7fELF and then some text that is long enough to be one".repeat(9),
    )
    .unwrap();
    let error = read(directory.path()).unwrap_err();
    assert!(matches!(error, SnapshotError::Base { .. }) && error.to_string().contains("magic"), "{error}");
    for junk in ["", "nizam-stack 1\n", "nizam-stack 2\n", "nizam-stack 1\nxyz\n", "\0\0\0"] {
        fs::write(directory.path().join("stack"), junk).unwrap();
        assert!(matches!(read(directory.path()), Err(SnapshotError::NotAStack(_))), "{junk:?}");
    }
    fs::write(directory.path().join("stack"), "nizam-stack 1\n00000000000000aa\n").unwrap();
    assert!(matches!(read(directory.path()), Err(SnapshotError::Io { .. })));
    let file = directory.path().join("stack");
    assert!(matches!(read(&file), Err(SnapshotError::Io { .. })), "a file where a directory should be");
    let engine = Engine::default();
    assert!(engine.load_snapshot(&file).starts_with("no snapshot: "));
    assert_eq!(engine.live.load().origin(), Origin::Nothing);
}

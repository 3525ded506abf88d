//! Sealed shared memory: how an image's bytes go from one process to another.
//!
//! [`Words`] is memory of the other kind: one file that one process changes, and that outlives it.
//!
//! The writer fills a memfd and seals it against writing, shrinking and growing before anyone else sees it; the
//! reader refuses one that is not sealed. So the bytes behind a [`Mapping`] never change, and reading them never
//! faults (`memfd_create(2)`, `fcntl(2)` `F_ADD_SEALS`).

use crate::image::ImageError;
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};

/// The seals that make memory immutable.
const SEALS: SealFlags =
    SealFlags::WRITE.union(SealFlags::SHRINK).union(SealFlags::GROW).union(SealFlags::SEAL);

/// A new sealed memfd with these bytes.
pub fn seal(bytes: &[u8]) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // NOEXEC_SEAL is asked for by newer kernels in the log, and unknown to those before 6.3.
    let fd = match rustix::fs::memfd_create("nizam-image", flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => rustix::fs::memfd_create("nizam-image", flags)?,
        other => other?,
    };
    let mut file = File::from(fd);
    file.write_all(bytes)?;
    let fd = OwnedFd::from(file);
    rustix::fs::fcntl_add_seals(&fd, SEALS)?;
    Ok(fd)
}

pub use mapping::{Mapping, Words};

#[expect(unsafe_code, reason = "the one place that maps memory")]
mod mapping {
    use super::{AsFd, Errno, ImageError, SEALS};
    use rustix::fs::FallocateFlags;
    use rustix::mm::{Advice, MapFlags, ProtFlags};
    use std::ffi::c_void;
    use std::ptr::NonNull;
    use std::sync::atomic::AtomicU64;

    /// Read-only view of memory that nobody changes, for as long as it lives: sealed memory, or a copy of our own.
    pub struct Mapping {
        address: NonNull<c_void>,
        length: usize,
    }

    // SAFETY: the memory is sealed against writing, or our own and not written any more, so any thread may read it.
    unsafe impl Send for Mapping {}
    // SAFETY: as above; there is no interior mutability.
    unsafe impl Sync for Mapping {}

    impl Mapping {
        /// Maps a whole sealed memfd. The descriptor may be closed afterwards.
        pub fn new(fd: impl AsFd) -> Result<Self, ImageError> {
            let failed = |errno: Errno| ImageError::CannotMap(errno.raw_os_error());
            let seals = rustix::fs::fcntl_get_seals(&fd).map_err(|_| ImageError::NotSealed)?;
            if !seals.contains(SEALS) {
                return Err(ImageError::NotSealed);
            }
            let size = rustix::fs::fstat(&fd).map_err(failed)?.st_size;
            let length = usize::try_from(size).unwrap_or(0);
            if length < crate::image::HEADER_LEN {
                return Err(ImageError::TooShort(length as u64));
            }
            // SAFETY: a new private mapping at an address of the kernel's choice aliases nothing of ours.
            let address = unsafe {
                rustix::mm::mmap(
                    std::ptr::null_mut(),
                    length,
                    ProtFlags::READ,
                    MapFlags::SHARED | MapFlags::POPULATE,
                    fd,
                    0,
                )
            }
            .map_err(failed)?;
            Ok(Self { address: NonNull::new(address).ok_or(ImageError::CannotMap(0))?, length })
        }

        /// A copy in huge pages, where the system has them: what is found in a large image at random costs a walk through the
        /// tables of pages as well, which is half of the time, and pages of a memfd are small ones (`shmem_enabled` in sysfs).
        pub fn copy(bytes: &[u8]) -> rustix::io::Result<Self> {
            let (length, none) = (bytes.len(), std::ptr::null_mut());
            let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
            // SAFETY: a new private mapping at an address of the kernel's choice aliases nothing of ours.
            let address = unsafe { rustix::mm::mmap_anonymous(none, length, protection, flags) }?;
            let copy = Self { address: NonNull::new(address).ok_or(Errno::INVAL)?, length };
            // SAFETY: the mapping is ours and of that length. The advice changes nothing that can be seen in it.
            let _small_pages_do_too = unsafe { rustix::mm::madvise(address, length, Advice::LinuxHugepage) };
            // SAFETY: nobody else knows the mapping yet, which is as long as the bytes and lies elsewhere.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), address.cast::<u8>(), length) };
            Ok(copy)
        }

        /// The memory.
        pub fn bytes(&self) -> &[u8] {
            // SAFETY: the mapping is `length` bytes long and lives as long as `self`; the seals checked in `new`
            // keep every process from changing or shrinking it, and nobody writes to a copy once it is made.
            unsafe { std::slice::from_raw_parts(self.address.as_ptr().cast::<u8>(), self.length) }
        }
    }

    /// A whole file as words that any thread may change. What is in it stays when the process is killed.
    pub struct Words {
        address: NonNull<c_void>,
        count: usize,
    }

    // SAFETY: the memory is only ever reached as atomics.
    unsafe impl Send for Words {}
    // SAFETY: as above.
    unsafe impl Sync for Words {}

    impl Words {
        /// Maps a file whose pages are all there: of one with holes on a full disk a write would be a fault, and so of one that is
        /// made shorter by somebody.
        pub fn new(file: impl AsFd) -> rustix::io::Result<Self> {
            let size = rustix::fs::fstat(&file)?.st_size;
            let count = usize::try_from(size).unwrap_or(0) / size_of::<AtomicU64>();
            if count == 0 {
                return Err(Errno::INVAL);
            }
            rustix::fs::fallocate(
                &file,
                FallocateFlags::empty(),
                0,
                (count * size_of::<AtomicU64>()) as u64,
            )?;
            // SAFETY: a new mapping at an address of the kernel's choice aliases nothing of ours.
            let address = unsafe {
                rustix::mm::mmap(
                    std::ptr::null_mut(),
                    count * size_of::<AtomicU64>(),
                    ProtFlags::READ | ProtFlags::WRITE,
                    MapFlags::SHARED | MapFlags::POPULATE,
                    file,
                    0,
                )
            }?;
            Ok(Self { address: NonNull::new(address).ok_or(Errno::INVAL)?, count })
        }

        /// The memory.
        pub fn words(&self) -> &[AtomicU64] {
            // SAFETY: the mapping holds `count` words, begins at a page and lives as long as `self`; every pattern of bits is a
            // word, and all that reach it do so as atomics.
            unsafe { std::slice::from_raw_parts(self.address.as_ptr().cast::<AtomicU64>(), self.count) }
        }
    }

    impl Drop for Words {
        fn drop(&mut self) {
            let length = self.count * size_of::<AtomicU64>();
            // SAFETY: the address and length of `new`; no slice of it outlives `self`.
            let unmapped = unsafe { rustix::mm::munmap(self.address.as_ptr(), length) };
            debug_assert!(unmapped.is_ok());
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            // SAFETY: the address and length that mmap gave; no slice of it outlives `self`.
            let unmapped = unsafe { rustix::mm::munmap(self.address.as_ptr(), self.length) };
            debug_assert!(unmapped.is_ok());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Builder, Image, Kind};
    use std::sync::atomic::Ordering;

    #[test]
    fn sealed_memory_can_be_read_but_not_changed() {
        let mut builder = Builder::base(7, 1);
        builder.put(Kind::Domain, [0; 16], b"example.org", Some(b"value")).unwrap();
        let fd = seal(&builder.finish().unwrap()).unwrap();
        let image = Image::from_mapping(Mapping::new(&fd).unwrap()).unwrap();
        assert_eq!(image.header().generation, 7);
        let mut file = File::from(fd);
        assert_eq!(file.set_len(1).unwrap_err().raw_os_error(), Some(1), "EPERM by F_SEAL_SHRINK");
        assert!(file.write_all(b"x").is_err());
    }

    #[test]
    fn a_copy_is_what_was_copied() {
        let bytes: Vec<u8> = (0..3_000_001_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
        assert!(Mapping::copy(&bytes).unwrap().bytes() == bytes);
        assert!(Mapping::copy(&[]).is_err(), "there is no mapping without a byte");
    }

    #[test]
    fn memory_that_can_still_change_is_refused() {
        let fd = rustix::fs::memfd_create("test", MemfdFlags::ALLOW_SEALING).unwrap();
        File::from(fd.try_clone().unwrap()).write_all(&[0; 256]).unwrap();
        assert_eq!(Mapping::new(&fd).err(), Some(ImageError::NotSealed));
        let file = tempfile();
        assert_eq!(Mapping::new(file).err(), Some(ImageError::NotSealed));
    }

    #[test]
    fn words_outlive_their_mapping() {
        let path = std::env::temp_dir().join(format!("nizam-words-{}", std::process::id()));
        let open =
            || File::options().read(true).write(true).create(true).truncate(false).open(&path).unwrap();
        assert!(Words::new(open()).is_err(), "an empty file has no words");
        open().set_len(4100).unwrap();
        let words = Words::new(open()).unwrap();
        assert_eq!(words.words().len(), 512);
        words.words()[511].store(7, Ordering::Relaxed);
        drop(words);
        assert_eq!(Words::new(open()).unwrap().words()[511].load(Ordering::Relaxed), 7);
        std::fs::remove_file(path).unwrap();
    }

    fn tempfile() -> File {
        File::open("/proc/self/exe").unwrap()
    }
}

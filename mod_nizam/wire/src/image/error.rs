//! Why an image was refused.

use thiserror::Error;

/// Why bytes are not an image that this reader takes. Small and `Copy`, so that it can stand in a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ImageError {
    /// Shorter than a header.
    #[error("too short to be an image: {0} bytes")]
    TooShort(u64),
    /// The first eight bytes are not `NIZAMIMG`: a foreign file.
    #[error("not an image: wrong magic")]
    WrongMagic,
    /// Written by a newer or older build.
    #[error("image format {0}, this build reads format {expected}", expected = super::FORMAT_VERSION)]
    WrongVersion(u32),
    /// Written on a machine of another byte order.
    #[error("image of another byte order")]
    WrongByteOrder,
    /// Fewer or more bytes than the header says.
    #[error("image of {actual} bytes says it has {stated}")]
    WrongLength {
        /// Length in the header.
        stated: u64,
        /// Length of the bytes.
        actual: u64,
    },
    /// Some byte is not what was written.
    #[error("image is damaged: checksum {computed:016x}, header says {stated:016x}")]
    Corrupt {
        /// Checksum in the header.
        stated: u64,
        /// Checksum of the bytes.
        computed: u64,
    },
    /// The checksum holds but an offset or count in the header points nowhere.
    #[error("image header is inconsistent")]
    BadHeader,
    /// The memory could still be changed or shrunk by its writer.
    #[error("image memory is not sealed")]
    NotSealed,
    /// The descriptor could not be mapped or inspected; the number is `errno`.
    #[error("image memory cannot be mapped: errno {0}")]
    CannotMap(i32),
}

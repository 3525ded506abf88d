//! What encrypts connections that this program makes.

/// Says it once and for all; a client that is made before that panics.
pub fn provide() {
    // An error means that it was said before, of the same.
    let _said = rustls::crypto::ring::default_provider().install_default();
}

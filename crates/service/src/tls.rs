//! The cryptography that this process's TLS is made with: ring.

use std::sync::Once;

/// Has to be called before a client of HTTP is made, which takes the process's one provider. Calling it again does nothing.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        if rustls::crypto::ring::default_provider()
            .install_default()
            .is_err()
        {
            tracing::debug!("the process had a provider for TLS already");
        }
    });
}

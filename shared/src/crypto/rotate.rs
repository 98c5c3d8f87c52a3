//! Rotation: a payload's key is wrapped by the newest key of the deployment; the payload itself is not touched.

use super::envelope::{Keyring, UnsealError, WrappedKey};

impl Keyring {
    pub fn rewrap(&self, wrapped: &WrappedKey, about: &[u8]) -> Result<WrappedKey, UnsealError> {
        Ok(self.wrap(&self.unwrap(wrapped, about)?, about))
    }
}

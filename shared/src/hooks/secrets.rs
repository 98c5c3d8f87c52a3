//! Secrets of hooks and webhook sources, sealed as they are stored.

use uuid::Uuid;

use crate::crypto::{Keyring, UnsealError};

/// Seals a secret of a hook.
pub fn seal_secret(keys: &Keyring, tenant: Uuid, hook: &str, secret: &str) -> String {
    keys.seal_text(secret, &of_hook(tenant, hook))
}

/// Seals a secret of a webhook source.
pub fn seal_source_secret(keys: &Keyring, tenant: Uuid, source: &str, secret: &str) -> String {
    keys.seal_text(secret, &of_source(tenant, source))
}

/// Opens the secrets of a webhook source.
pub fn open_source_secrets(keys: &Keyring, tenant: Uuid, source: &str, sealed: &[String]) -> Result<Vec<String>, UnsealError> {
    sealed.iter().map(|secret| keys.open_text(secret, &of_source(tenant, source))).collect()
}

pub(super) fn open_secrets(keys: &Keyring, tenant: Uuid, hook: &str, sealed: &[String]) -> Result<Vec<String>, UnsealError> {
    sealed.iter().map(|secret| keys.open_text(secret, &of_hook(tenant, hook))).collect()
}

fn of_hook(tenant: Uuid, hook: &str) -> String {
    format!("hook_secret/{tenant}/{hook}")
}

fn of_source(tenant: Uuid, source: &str) -> String {
    format!("webhook_secret/{tenant}/{source}")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{open_secrets, open_source_secrets, seal_secret, seal_source_secret};
    use crate::crypto::Keyring;

    #[test]
    fn a_secret_opens_for_its_own_hook_or_source_alone() {
        let keys: Keyring = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse().expect("keys");
        let tenant = Uuid::from_u128(1);
        let hook = [seal_secret(&keys, tenant, "x", "whsec_1"), seal_secret(&keys, tenant, "x", "whsec_2")];
        assert_eq!(open_secrets(&keys, tenant, "x", &hook), Ok(vec!["whsec_1".to_owned(), "whsec_2".to_owned()]));
        assert!(open_secrets(&keys, tenant, "y", &hook).is_err() && open_secrets(&keys, Uuid::nil(), "x", &hook).is_err());
        let source = [seal_source_secret(&keys, tenant, "x", "of a source")];
        assert_eq!(open_source_secrets(&keys, tenant, "x", &source), Ok(vec!["of a source".to_owned()]));
        assert!(open_source_secrets(&keys, tenant, "x", &hook).is_err() && open_secrets(&keys, tenant, "x", &source).is_err());
    }
}

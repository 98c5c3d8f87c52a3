//! Sealed texts, as columns of the database have them: `sealed.<key id>.<wrapped key>.<ciphertext>` (`nofx_private.is_sealed`).

use super::envelope::{Keyring, Sealed, UnsealError, WrappedKey};

impl Keyring {
    /// Seals a text. `about` is what it belongs to: it cannot be opened for anything else.
    pub fn seal_text(&self, text: &str, about: &str) -> String {
        write(&self.seal(text.as_bytes(), about.as_bytes()))
    }

    pub fn open_text(&self, sealed: &str, about: &str) -> Result<String, UnsealError> {
        let opened = self.open(&read(sealed)?, about.as_bytes())?;
        String::from_utf8(opened).map_err(|_| UnsealError::Tampered)
    }

    /// The same text, with its key wrapped by the current one.
    pub fn rewrap_text(&self, sealed: &str, about: &str) -> Result<String, UnsealError> {
        let sealed = read(sealed)?;
        let key = self.rewrap(&sealed.key, about.as_bytes())?;
        Ok(write(&Sealed { key, ..sealed }))
    }
}

fn write(sealed: &Sealed) -> String {
    format!("sealed.{}.{}.{}", sealed.key.key_id, sealed.key.wrapped_key, sealed.sealed)
}

fn read(text: &str) -> Result<Sealed, UnsealError> {
    let parts: Vec<&str> = text.split('.').collect();
    let ["sealed", key_id, wrapped_key, sealed] = parts[..] else { return Err(UnsealError::Tampered) };
    let key = WrappedKey { key_id: key_id.to_owned(), wrapped_key: wrapped_key.to_owned() };
    Ok(Sealed { sealed: sealed.to_owned(), key })
}

#[cfg(test)]
mod tests {
    use super::{Keyring, UnsealError};

    const OLD: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn a_text_opens_for_what_it_was_sealed_for_also_after_rotation() {
        let old: Keyring = OLD.parse().expect("keys");
        let both: Keyring = format!("k2:HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,{OLD}").parse().expect("keys");
        let sealed = old.seal_text("whsec_1 of ä", "hook_secret/t/h");
        assert!(sealed.starts_with("sealed.k1.") && !sealed.contains("whsec"), "{sealed}");
        assert_eq!(old.open_text(&sealed, "hook_secret/t/h").as_deref(), Ok("whsec_1 of ä"));
        assert_eq!(old.open_text(&sealed, "hook_secret/t/other"), Err(UnsealError::Tampered));
        let again = both.rewrap_text(&sealed, "hook_secret/t/h").expect("known to both");
        assert!(again.starts_with("sealed.k2.") && again.ends_with(sealed.rsplit('.').next().expect("a part")));
        assert_eq!(both.open_text(&again, "hook_secret/t/h").as_deref(), Ok("whsec_1 of ä"));
        for bad in ["", "whsec_1", "sealed.k1", "sealed.k1.a.b.c", "other.k1.a.b"] {
            assert_eq!(old.open_text(bad, ""), Err(UnsealError::Tampered), "{bad}");
        }
    }
}

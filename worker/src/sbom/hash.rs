//! Hashes of published files, as lock files write them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A hash in the terms of CycloneDX.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hash {
    pub algorithm: &'static str,
    pub hex: String,
}

impl Hash {
    fn new(algorithm: &str, bytes: &[u8]) -> Option<Self> {
        let (algorithm, size) = match algorithm {
            "md5" => ("MD5", 16),
            "sha1" => ("SHA-1", 20),
            "sha256" => ("SHA-256", 32),
            "sha384" => ("SHA-384", 48),
            "sha512" => ("SHA-512", 64),
            _ => return None,
        };
        (bytes.len() == size).then(|| Self { algorithm, hex: hex::encode(bytes) })
    }

    /// `sha256:<hex>`, as Python's tools write it.
    pub(super) fn labelled(text: &str) -> Result<Self, String> {
        let read = || {
            let (algorithm, hex) = text.split_once(':')?;
            Self::new(algorithm, &hex::decode(hex).ok()?)
        };
        read().ok_or_else(|| format!("`{}` is not a hash", shorten(text)))
    }

    /// Subresource Integrity, as npm's tools write it: one or more of `sha512-<base64>`.
    pub(super) fn integrity(text: &str) -> Result<Vec<Self>, String> {
        let one = |word: &str| {
            let (algorithm, rest) = word.split_once('-')?;
            let bytes = STANDARD.decode(rest.split('?').next().unwrap_or_default()).ok()?;
            Self::new(algorithm, &bytes)
        };
        text.split_whitespace().map(|word| one(word).ok_or_else(|| format!("`{}` is not an integrity", shorten(word)))).collect()
    }

    /// `h1:<base64>`, Go's SHA-256 over the list of a module's files; cyclonedx-gomod writes it as SHA-256, too.
    pub(super) fn go(text: &str) -> Result<Self, String> {
        let bytes = text.strip_prefix("h1:").and_then(|rest| STANDARD.decode(rest).ok());
        bytes.and_then(|bytes| Self::new("sha256", &bytes)).ok_or_else(|| format!("`{}` is not a hash of Go", shorten(text)))
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::Hash;

    #[test]
    fn a_hash_has_the_size_of_its_algorithm() {
        let zeros = "0".repeat(64);
        assert_eq!(Hash::labelled(&format!("sha256:{zeros}")).map(|hash| (hash.algorithm, hash.hex)), Ok(("SHA-256", zeros.clone())));
        let sha1 =
            Hash::integrity("sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA= sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=?opt").expect("hashes");
        assert_eq!(sha1.iter().map(|hash| hash.algorithm).collect::<Vec<_>>(), ["SHA-1", "SHA-256"]);
        assert_eq!(Hash::go("h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").map(|hash| hash.hex), Ok(zeros.clone()));
        for wrong in ["", "sha256", "sha256:", "sha256:00", "sha256:+f", "sha1:é0", &format!("md6:{zeros}"), &format!("sha1:{zeros}")] {
            assert!(Hash::labelled(wrong).is_err(), "{wrong}");
        }
        assert!(Hash::integrity("sha512-AAAA").is_err() && Hash::integrity("sha512").is_err() && Hash::go("h2:AAAA").is_err());
    }
}

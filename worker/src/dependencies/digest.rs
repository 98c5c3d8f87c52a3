use std::io::{Read, Write};

use sha2::{Sha256, Sha512};

/// A digest as a lock file names it, in lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Digest {
    Sha256(String),
    Sha512(String),
}

impl Digest {
    pub(crate) fn sha256(hex: &str) -> Option<Self> {
        is_hex(hex, 64).then(|| Self::Sha256(hex.to_owned()))
    }

    pub(crate) fn sha512(hex: &str) -> Option<Self> {
        is_hex(hex, 128).then(|| Self::Sha512(hex.to_owned()))
    }

    pub(super) fn hex(&self) -> &str {
        match self {
            Self::Sha256(hex) | Self::Sha512(hex) => hex,
        }
    }

    /// Copies at most so many bytes; how many, when they are all and have this digest.
    pub(super) fn copy(&self, from: &mut impl Read, to: &mut impl Write, max_bytes: u64) -> std::io::Result<Option<u64>> {
        match self {
            Self::Sha256(hex) => copy::<Sha256>(hex, from, to, max_bytes),
            Self::Sha512(hex) => copy::<Sha512>(hex, from, to, max_bytes),
        }
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn copy<D: sha2::Digest>(hex: &str, from: &mut impl Read, to: &mut impl Write, max_bytes: u64) -> std::io::Result<Option<u64>> {
    let (mut digest, mut bytes, mut chunk) = (D::new(), 0, vec![0; 64 << 10]);
    loop {
        let read = from.read(&mut chunk)?;
        if read == 0 {
            return Ok((hex::encode(digest.finalize()) == hex).then_some(bytes));
        }
        bytes += read as u64;
        if bytes > max_bytes {
            return Ok(None);
        }
        digest.update(&chunk[..read]);
        to.write_all(&chunk[..read])?;
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn only_the_bytes_with_the_digest_are_taken_and_all_of_them() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let digest = Digest::sha256("2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae").expect("of foo");
        for (bytes, max, found) in [("foo", 3, Some(3)), ("foo", 2, None), ("fo", 9, None), ("foo ", 9, None), ("", 9, None)] {
            assert_eq!(digest.copy(&mut bytes.as_bytes(), &mut vec![], max).expect("copied"), found, "{bytes} {max}");
        }
        assert_eq!(Digest::sha256(empty).expect("of nothing").copy(&mut &b""[..], &mut vec![], 0).expect("copied"), Some(0));
        let (upper, long) = (empty.to_uppercase(), format!("{empty}0"));
        for wrong in ["", "../x", upper.as_str(), long.as_str()] {
            assert_eq!((Digest::sha256(wrong), Digest::sha512(wrong)), (None, None), "{wrong}");
        }
    }
}

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{from_hex, hex};

/// The HMAC-SHA256 of bytes in hexadecimal.
pub fn hmac_sha256(secret: &[u8], bytes: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(bytes);
    hex(&mac.finalize().into_bytes())
}

/// Whether a text is the HMAC-SHA256 of bytes in hexadecimal, in constant time.
pub fn is_hmac_sha256(secret: &[u8], bytes: &[u8], hex: &str) -> bool {
    let digits = from_hex(hex);
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
    mac.update(bytes);
    digits.is_some_and(|digits| mac.verify_slice(&digits).is_ok())
}

#[cfg(test)]
mod tests {
    use super::{hmac_sha256, is_hmac_sha256};

    #[test]
    fn it_is_the_example_of_githubs_documentation() {
        let (secret, body) = (b"It's a Secret to Everybody", b"Hello, World!");
        let good = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(hmac_sha256(secret, body), good);
        assert!(is_hmac_sha256(secret, body, good) && !is_hmac_sha256(secret, b"Hello, World", good));
        for bad in ["", "75", "zz", "é", &good[..62]] {
            assert!(!is_hmac_sha256(secret, body, bad), "{bad}");
        }
    }
}

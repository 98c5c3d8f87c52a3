use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The HMAC-SHA256 of bytes in hexadecimal.
pub fn hmac_sha256(secret: &[u8], bytes: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(bytes);
    hex::encode(mac.finalize().into_bytes())
}

/// Whether a text is the HMAC-SHA256 of bytes in hexadecimal, in constant time.
pub fn is_hmac_sha256(secret: &[u8], bytes: &[u8], text: &str) -> bool {
    let Ok(digits) = hex::decode(text) else { return false };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
    mac.update(bytes);
    mac.verify_slice(&digits).is_ok()
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
        for bad in ["", "75", "zz", "é", &good[..62], &good[..63], &format!("+7{}", &good[2..]), &format!("{good}00")] {
            assert!(!is_hmac_sha256(secret, body, bad), "{bad}");
        }
    }
}

//! Standard Webhooks signatures (standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A new secret: `whsec_` and base64 of 32 bytes.
pub fn make_secret() -> String {
    let bytes: [u8; 32] = rand::random();
    format!("whsec_{}", STANDARD.encode(bytes))
}

/// The value of `webhook-signature`: one signature for each secret.
pub fn sign(secrets: &[String], id: &str, timestamp: i64, body: &str) -> String {
    let one = |secret: &String| Some(format!("v1,{}", STANDARD.encode(mac(secret, id, &timestamp.to_string(), body.as_bytes())?)));
    secrets.iter().filter_map(one).collect::<Vec<_>>().join(" ")
}

/// None when the secret is not one.
pub(super) fn mac(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> Option<Vec<u8>> {
    // Supabase Auth writes `v1,` before it.
    let text = secret.trim().trim_start_matches("v1,");
    let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::{make_secret, sign};

    #[test]
    fn it_is_the_vector_of_the_specification() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(); // nofx:allow-secret of the specification
        let signed = sign(std::slice::from_ref(&secret), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(sign(&[make_secret(), secret], "m", 1, "").split(' ').count(), 2, "while one replaces the other");
    }
}

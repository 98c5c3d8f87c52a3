//! The examples of RFC 7515, appendix A: other libraries agree on them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::crypto;
use jsonwebtoken::jwk::AlgorithmParameters;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde_json::{Value, json};

use super::keys::{der, private_es256, private_rs256, public_es256, public_rs256, secret, text};
use crate::crypto::jwt::{provider, public_key, rsa_key, sign, verify};

fn message(example: &str) -> String {
    format!("{}.{}", text(&format!("/{example}/header")), text("/payload"))
}

#[test]
fn their_signatures_are_valid_and_other_messages_are_not() {
    provider::install();
    let keys = [
        ("hs256", Algorithm::HS256, DecodingKey::from_secret(&secret())),
        ("rs256", Algorithm::RS256, public_rs256()),
        ("es256", Algorithm::ES256, public_es256()),
    ];
    for (example, algorithm, key) in keys {
        let signature = text(&format!("/{example}/signature"));
        let is_valid = |message: &str| crypto::verify(signature, message.as_bytes(), &key, algorithm).expect("a key that fits");
        assert!(is_valid(&message(example)), "{example}");
        assert!(!is_valid(&format!("{}A", message(example))), "{example}");
    }
}

#[test]
fn the_algorithms_without_chance_sign_as_they_do() {
    provider::install();
    let sign = |example: &str, key: &EncodingKey, algorithm| crypto::sign(message(example).as_bytes(), key, algorithm).expect("signed");
    assert_eq!(sign("hs256", &EncodingKey::from_secret(&secret()), Algorithm::HS256), text("/hs256/signature"));
    for form in ["/rs256/pkcs1", "/rs256/pkcs8"] {
        assert_eq!(sign("rs256", &EncodingKey::from_rsa_der(&der(form)), Algorithm::RS256), text("/rs256/signature"), "{form}");
    }
}

#[test]
fn what_a_key_signs_its_other_half_verifies() {
    let claims = json!({"sub": "somebody", "exp": 32_503_680_000_i64});
    let pairs = [
        (Algorithm::HS256, EncodingKey::from_secret(b"secret"), DecodingKey::from_secret(b"secret")),
        (Algorithm::RS256, private_rs256(), public_rs256()),
        (Algorithm::ES256, private_es256(), public_es256()),
    ];
    for (algorithm, private, public) in pairs {
        let token = sign(&Header::new(algorithm), &claims, &private).expect("signed");
        assert_eq!(verify::<Value>(&token, &public, algorithm).expect("valid"), claims, "{algorithm:?}");
    }
}

#[test]
fn the_public_half_is_that_of_the_example() {
    let AlgorithmParameters::EllipticCurve(point) = public_key(&private_es256()).expect("a key").algorithm else { panic!("no curve") };
    assert_eq!((point.x.as_str(), point.y.as_str()), (text("/es256/x"), text("/es256/y")));
    assert!(public_key(&EncodingKey::from_ec_der(b"no key")).is_err());
    assert!(public_key(&private_rs256()).is_err(), "only ES256 has one");
}

#[test]
fn an_rsa_key_is_read_from_both_forms_of_pem_and_nothing_else() {
    let pem = |label: &str, der: &[u8]| {
        let text = STANDARD.encode(der);
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    };
    for (label, form) in [("RSA PRIVATE KEY", "/rs256/pkcs1"), ("PRIVATE KEY", "/rs256/pkcs8")] {
        let key = rsa_key(&pem(label, &der(form))).expect("a key");
        let claims = json!({"exp": 32_503_680_000_i64});
        let token = sign(&Header::new(Algorithm::RS256), &claims, &key).expect("signed");
        assert_eq!(verify::<Value>(&token, &public_rs256(), Algorithm::RS256).expect("valid"), claims, "{label}");
    }
    let others = ["".to_owned(), "no PEM".to_owned(), pem("PUBLIC KEY", b"1"), pem("CERTIFICATE", b"1"), pem("EC PRIVATE KEY", b"1")];
    for other in others {
        assert!(rsa_key(&other).is_err(), "{other}");
    }
}

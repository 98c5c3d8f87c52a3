//! Tokens and keys of attackers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde_json::{Value, json};

use super::keys::{der, private_es256, private_rs256, public_es256, public_rs256, text};
use crate::crypto::jwt::{sign, verify};

const USED: [Algorithm; 3] = [Algorithm::HS256, Algorithm::RS256, Algorithm::ES256];

fn claims() -> Value {
    json!({"sub": "somebody", "exp": 32_503_680_000_i64})
}

fn public() -> [DecodingKey; 3] {
    [DecodingKey::from_secret(b"secret"), public_rs256(), public_es256()]
}

fn private() -> [EncodingKey; 3] {
    [EncodingKey::from_secret(b"secret"), private_rs256(), private_es256()]
}

fn part(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

/// A token with another signature.
fn with_signature(token: &str, signature: &[u8]) -> String {
    format!("{}.{}", token.rsplit_once('.').expect("three parts").0, URL_SAFE_NO_PAD.encode(signature))
}

fn signature(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.rsplit_once('.').expect("three parts").1).expect("base64")
}

#[test]
fn a_token_without_signature_is_refused_whatever_its_algorithm() {
    for algorithm in ["none", "None", "NONE", "", "HS256", "RS256", "ES256"] {
        for signature in ["", "AA"] {
            let token = format!("{}.{}.{signature}", part(&json!({"typ": "JWT", "alg": algorithm})), part(&claims()));
            for (key, used) in public().iter().zip(USED) {
                assert!(verify::<Value>(&token, key, used).is_err(), "{algorithm} for {used:?}");
            }
        }
    }
}

#[test]
fn a_public_key_is_no_secret() {
    let point =
        [&[4][..], &URL_SAFE_NO_PAD.decode(text("/es256/x")).expect("x"), &URL_SAFE_NO_PAD.decode(text("/es256/y")).expect("y")].concat();
    let modulus = URL_SAFE_NO_PAD.decode(text("/rs256/n")).expect("n");
    for (key, known, algorithm) in [(public_es256(), point, Algorithm::ES256), (public_rs256(), modulus, Algorithm::RS256)] {
        let token = sign(&Header::new(Algorithm::HS256), &claims(), &EncodingKey::from_secret(&known)).expect("signed");
        assert!(verify::<Value>(&token, &key, algorithm).is_err(), "{algorithm:?}");
        // Not even where a caller takes the token's word for the algorithm.
        assert!(verify::<Value>(&token, &key, Algorithm::HS256).is_err(), "{algorithm:?}");
    }
}

#[test]
fn a_key_serves_its_own_algorithm_only() {
    for (private, own) in private().iter().zip(USED) {
        for algorithm in USED.into_iter().filter(|one| *one != own) {
            assert!(sign(&Header::new(algorithm), &claims(), private).is_err(), "{own:?} signs {algorithm:?}");
        }
    }
    for (private, own) in private().iter().zip(USED) {
        let token = sign(&Header::new(own), &claims(), private).expect("signed");
        for (key, other) in public().iter().zip(USED).filter(|(_, other)| *other != own) {
            assert!(verify::<Value>(&token, key, own).is_err(), "a key for {other:?} verifies {own:?}");
            assert!(verify::<Value>(&token, key, other).is_err(), "{own:?} passes for {other:?}");
        }
    }
}

#[test]
fn other_algorithms_are_refused() {
    let others = [Algorithm::HS384, Algorithm::HS512, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::ES384];
    for (other, key) in others.into_iter().zip([0, 0, 1, 1, 1, 2]) {
        let error = sign(&Header::new(other), &claims(), &private()[key]).expect_err("not ours");
        assert_eq!(*error.kind(), ErrorKind::UnsupportedAlgorithm, "{other:?}");
        let token = format!("{}.{}.AAAA", part(&json!({"alg": format!("{other:?}")})), part(&claims()));
        let error = verify::<Value>(&token, &public()[key], other).expect_err("not ours");
        assert_eq!(*error.kind(), ErrorKind::UnsupportedAlgorithm, "{other:?}");
    }
}

#[test]
fn a_signature_that_was_cut_lengthened_or_changed_is_refused() {
    for ((private, public), algorithm) in private().iter().zip(&public()).zip(USED) {
        let token = sign(&Header::new(algorithm), &claims(), private).expect("signed");
        let good = signature(&token);
        assert!(verify::<Value>(&with_signature(&token, &good), public, algorithm).is_ok(), "{algorithm:?}");
        let mut flipped = good.clone();
        flipped[0] ^= 1;
        let (cut, half) = (&good[..good.len() - 1], &good[..good.len() / 2]);
        let zeros = vec![0; good.len()];
        let (longer, led) = ([&good[..], &[0]].concat(), [&[0], &good[..]].concat());
        for bad in [&[][..], cut, half, &flipped, &zeros, &longer, &led] {
            let error = verify::<Value>(&with_signature(&token, bad), public, algorithm).expect_err("not its signature");
            assert_eq!(*error.kind(), ErrorKind::InvalidSignature, "{algorithm:?}, {} bytes", bad.len());
        }
        assert!(verify::<Value>(&token.replacen('.', "..", 1), public, algorithm).is_err());
        assert!(verify::<Value>(token.rsplit_once('.').expect("parts").0, public, algorithm).is_err());
    }
}

#[test]
fn an_es256_signature_in_der_is_refused() {
    let token = sign(&Header::new(Algorithm::ES256), &claims(), &private_es256()).expect("signed");
    let raw = signature(&token);
    assert_eq!(raw.len(), 64);
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let padding = if number[zeros] & 0x80 == 0 { &[][..] } else { &[0] };
        let number = [padding, &number[zeros..]].concat();
        [&[2, u8::try_from(number.len()).expect("short")][..], &number].concat()
    };
    let both = [integer(&raw[..32]), integer(&raw[32..])].concat();
    let der = [&[0x30, u8::try_from(both.len()).expect("short")][..], &both].concat();
    assert!(verify::<Value>(&with_signature(&token, &der), &public_es256(), Algorithm::ES256).is_err());
    assert!(verify::<Value>(&token, &public_es256(), Algorithm::ES256).is_ok());
}

#[test]
fn an_rsa_key_of_1024_bits_neither_signs_nor_verifies() {
    let error = sign(&Header::new(Algorithm::RS256), &claims(), &EncodingKey::from_rsa_der(&der("/small/private"))).expect_err("too small");
    assert!(matches!(error.kind(), ErrorKind::InvalidRsaKey(_)), "{error}");
    let small = DecodingKey::from_rsa_der(&der("/small/public"));
    let error = verify::<Value>(text("/small/token"), &small, Algorithm::RS256).expect_err("too small");
    assert_eq!(*error.kind(), ErrorKind::InvalidSignature);
}

#[test]
fn keys_that_are_none_do_not_panic() {
    for bytes in [&b""[..], b"0", &[0x30, 0x82, 0xff, 0xff], &[4; 65], &[0; 300]] {
        assert!(sign(&Header::new(Algorithm::ES256), &claims(), &EncodingKey::from_ec_der(bytes)).is_err());
        assert!(sign(&Header::new(Algorithm::RS256), &claims(), &EncodingKey::from_rsa_der(bytes)).is_err());
        let token = sign(&Header::new(Algorithm::ES256), &claims(), &private_es256()).expect("signed");
        assert!(verify::<Value>(&token, &DecodingKey::from_ec_der(bytes), Algorithm::ES256).is_err());
        let token = sign(&Header::new(Algorithm::RS256), &claims(), &private_rs256()).expect("signed");
        assert!(verify::<Value>(&token, &DecodingKey::from_rsa_der(bytes), Algorithm::RS256).is_err());
        assert!(verify::<Value>(&token, &DecodingKey::from_rsa_raw_components(bytes, bytes), Algorithm::RS256).is_err());
    }
    assert!(sign(&Header::new(Algorithm::RS256), &claims(), &EncodingKey::from_rsa_der(&der("/es256/pkcs8"))).is_err());
}

#[test]
fn a_token_that_ran_out_or_never_does_is_refused() {
    let key = DecodingKey::from_secret(b"secret");
    let sign = |claims: &Value| sign(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(b"secret")).expect("signed");
    let now = chrono::Utc::now().timestamp();
    for exp in [json!(now - 1), json!(0), json!("never"), json!(-1), Value::Null] {
        assert!(verify::<Value>(&sign(&json!({"sub": "somebody", "exp": exp})), &key, Algorithm::HS256).is_err(), "{exp}");
    }
    assert!(verify::<Value>(&sign(&json!({"sub": "somebody"})), &key, Algorithm::HS256).is_err(), "without exp");
}

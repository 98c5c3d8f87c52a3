use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::Value;

static KEYS: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("keys.json")).expect("JSON"));

pub(super) fn text(pointer: &str) -> &'static str {
    KEYS.pointer(pointer).and_then(Value::as_str).expect("a text of keys.json")
}

pub(super) fn der(pointer: &str) -> Vec<u8> {
    STANDARD.decode(text(pointer)).expect("base64")
}

pub(super) fn secret() -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text("/hs256/secret")).expect("base64")
}

pub(super) fn private_es256() -> EncodingKey {
    EncodingKey::from_ec_der(&der("/es256/pkcs8"))
}

pub(super) fn public_es256() -> DecodingKey {
    DecodingKey::from_ec_components(text("/es256/x"), text("/es256/y")).expect("coordinates")
}

pub(super) fn private_rs256() -> EncodingKey {
    EncodingKey::from_rsa_der(&der("/rs256/pkcs1"))
}

pub(super) fn public_rs256() -> DecodingKey {
    DecodingKey::from_rsa_components(text("/rs256/n"), text("/rs256/e")).expect("components")
}

//! Secrets that are created once per data directory and stored there, readable by its owner only.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::auth::api_key;
use crate::error::{At, Error};
use crate::people::Person;
use crate::signing_key::SigningKey;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Secrets {
    pub jwt_secret: String,
    /// The project's keys: created once, since the gateway compares them literally.
    pub anon_key: String,
    pub service_role_key: String,
    /// Private half of the pair that signs tokens of people.
    pub signing_key: String,
    /// The key that workers sign attestations with: base64 of 32 bytes.
    pub artifact_key: String,
    /// The keys that seal payloads of the audit log: `id:key`.
    pub encryption_keys: String,
    /// What calls of the function that executes steps are signed with: base64 of 32 bytes.
    pub function_key: String,
    pub db_password: String,
    pub internal_api_key: String,
    pub tenant_id: Uuid,
    pub people: Vec<Person>,
}

impl Secrets {
    /// Reads the secrets of a data directory, or creates them on first start.
    pub(crate) fn open(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join("secrets.json");
        if let Ok(text) = std::fs::read(&path) {
            return serde_json::from_slice(&text).map_err(|error| Error::failed(format!("reading {}", path.display()), &error));
        }
        let jwt_secret = token(48);
        let secrets = Self {
            anon_key: api_key(&jwt_secret, "anon"),
            service_role_key: api_key(&jwt_secret, "service_role"),
            jwt_secret,
            signing_key: SigningKey::make(),
            artifact_key: key_of_32_bytes(),
            encryption_keys: format!("dev:{}", key_of_32_bytes()),
            function_key: key_of_32_bytes(),
            db_password: token(32),
            internal_api_key: token(32),
            tenant_id: Uuid::now_v7(),
            people: ["viewer", "contributor", "supervisor", "admin"]
                .map(|role| Person { id: Uuid::now_v7(), email: format!("{role}@nofx.local"), password: token(20), role: role.to_owned() })
                .to_vec(),
        };
        let text = serde_json::to_vec_pretty(&secrets).map_err(|error| Error::failed("writing secrets", &error))?;
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(&text))
            .at("could not write", path)?;
        Ok(secrets)
    }
}

fn key_of_32_bytes() -> String {
    let bytes: [u8; 32] = rand::rng().random();
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}

fn token(length: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let mut random = rand::rng();
    (0..length).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect()
}

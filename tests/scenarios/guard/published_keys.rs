use nofx_tests::WAIT_LIMIT;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use axum::Json;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use nofx_shared::auth::{Error, Verifier};
use nofx_shared::crypto::jwt;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

/// A project that publishes keys, and counts how often it is asked for them.
struct Project {
    url: String,
    published: Arc<Mutex<Value>>,
    asked: Arc<AtomicUsize>,
}

impl Project {
    async fn start(keys: Value) -> Self {
        let (published, asked) = (Arc::new(Mutex::new(keys)), Arc::new(AtomicUsize::new(0)));
        let (keys, count) = (Arc::clone(&published), Arc::clone(&asked));
        let show = move || async move {
            count.fetch_add(1, Ordering::SeqCst);
            Json(keys.lock().expect("not poisoned").clone())
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = axum::Router::new().route("/auth/v1/.well-known/jwks.json", get(show));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, published, asked }
    }

    fn requests(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Three keys, numbered from 1.
static KEYS: LazyLock<[EncodingKey; 3]> = LazyLock::new(|| {
    [(); 3].map(|()| {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).expect("a key");
        EncodingKey::from_ec_der(document.as_ref())
    })
});

fn published(numbers: &[usize]) -> Value {
    let jwk = |number: &usize| {
        let mut jwk = json!(jwt::public_key(&KEYS[number - 1]).expect("a key"));
        jwk["use"] = json!("sig");
        jwk["kid"] = json!(format!("key-{number}"));
        jwk
    };
    json!({"keys": numbers.iter().map(jwk).collect::<Vec<_>>()})
}

fn token(number: usize) -> String {
    let header = Header { kid: Some(format!("key-{number}")), ..Header::new(Algorithm::ES256) };
    jwt::sign(&header, &claims(), &KEYS[number - 1]).expect("signed")
}

fn claims() -> Value {
    let tenant = uuid::Uuid::now_v7();
    let metadata = json!({"tenant_id": tenant, "nofx_role": "viewer"});
    json!({"sub": "somebody", "role": "authenticated", "exp": chrono::Utc::now().timestamp() + 60, "app_metadata": metadata})
}

#[tokio::test]
async fn published_keys_are_kept_and_a_rotation_is_noticed() {
    let project = Project::start(published(&[1])).await;
    let verifier = Verifier::new("a secret of the project", &project.url);
    let begun = Instant::now();
    for _ in 0..5 {
        verifier.verify(&token(1)).await.map(drop).expect("a good token");
    }
    assert_eq!(project.requests(), 1, "the keys are kept");

    let made_up = token(3);
    for _ in 0..100 {
        assert!(matches!(verifier.verify(&made_up).await.map(drop), Err(Error::UnknownKey(_))));
    }
    *project.published.lock().expect("not poisoned") = published(&[1, 2]);
    while let Err(error) = verifier.verify(&token(2)).await {
        assert!(matches!(error, Error::UnknownKey(_)) && begun.elapsed() < WAIT_LIMIT, "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let most = 1 + usize::try_from(begun.elapsed().as_secs() / 2).expect("a number");
    assert!(project.requests() <= most, "made-up names make it ask more often than every two seconds: {} times", project.requests());
}

#[tokio::test]
async fn a_public_key_never_serves_as_a_secret() {
    let project = Project::start(published(&[1])).await;
    let verifier = Verifier::new("a secret of the project", &project.url);
    let public = serde_json::to_string(&published(&[1])["keys"][0]).expect("JSON");
    let header = Header { kid: Some("key-1".to_owned()), ..Header::new(Algorithm::HS256) };
    let forged = jwt::sign(&header, &claims(), &EncodingKey::from_secret(public.as_bytes())).expect("signed");
    assert!(verifier.verify(&forged).await.is_err());
    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(json!({"alg": "HS512", "kid": "key-1"})), part(claims()));
    let secret = hmac::Key::new(hmac::HMAC_SHA512, b"a secret of the project");
    let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&secret, message.as_bytes())));
    assert!(verifier.verify(&forged).await.is_err(), "only the algorithms that the project uses");
}

#[tokio::test]
async fn two_published_keys_with_one_name_verify_nothing() {
    let keys = published(&[1, 2]);
    let verifier = Verifier::new("a secret of the project", &Project::start(keys.clone()).await.url);
    verifier.verify(&token(1)).await.map(drop).expect("a good token");
    let mut twice = keys;
    twice["keys"][1]["kid"] = json!("key-1");
    let verifier = Verifier::new("a secret of the project", &Project::start(twice).await.url);
    assert!(matches!(verifier.verify(&token(1)).await.map(drop), Err(Error::UnknownKey(_))));
}

#[tokio::test]
async fn a_token_that_cannot_be_checked_now_is_not_called_invalid() {
    let verifier = Verifier::new("a secret of the project", "http://127.0.0.1:9");
    assert!(matches!(verifier.verify(&token(1)).await.map(drop), Err(Error::Unavailable(_))));
}

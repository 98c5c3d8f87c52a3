//! Which accounts are searched. Nothing is called: an account is made of its keys alone.

use std::time::Duration;

use axum::routing::post;
use axum::{Json, Router};
use nofx_shared::drivers::{Limits, Network};
use nofx_shared::settings::Secrets;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::drivers::Tags;

const OWN: Uuid = Uuid::from_u128(1);
const SAME: Uuid = Uuid::from_u128(2);
const OTHER: Uuid = Uuid::from_u128(3);

/// A vault in which two tenants have the same keys of Modal, and none has others.
async fn accounts(keys: &[&str]) -> Accounts {
    async fn secrets(Json(asked): Json<Value>) -> Json<Value> {
        let has_own = [OWN, SAME].iter().any(|tenant| asked["p_tenant"] == json!(tenant)) && asked["p_names"][0] == "MODAL_TOKEN_ID";
        Json(if has_own { json!({"MODAL_TOKEN_ID": "own", "MODAL_TOKEN_SECRET": "own"}) } else { json!({}) })
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let vault = Router::new().route("/rpc/read_secrets", post(secrets)).route("/rpc/record_secret_use", post(async || Json(true)));
    tokio::spawn(async move { axum::serve(listener, vault).await });
    let settings = settings::Machines {
        keys: keys.iter().map(|name| ((*name).to_owned(), "key".to_owned())).collect(),
        e2b: settings::E2b { api_url: "http://127.0.0.1:9".to_owned(), sandbox_url: None },
        modal: Some(settings::Modal { python: "/nonexistent/python".to_owned(), server_url: None }),
        ..settings::Machines::default()
    };
    let db = Db::new(&url, "key", "token");
    Accounts::new(settings, Arc::new(SecretStore::new(Secrets::Vault, db.clone())), db, "here".to_owned())
}

fn modal(tenant: Uuid) -> Spec {
    Spec {
        kind: (Driver::Modal, None),
        tags: Tags { deployment: "here".to_owned(), tenant, run: Uuid::nil(), step: Uuid::nil(), attempt: 1, creation: Uuid::nil() },
        image: None,
        network: Network::All,
        limits: Limits::default(),
        lifetime: Duration::from_secs(60),
    }
}

/// Whose accounts are searched now.
async fn searched(accounts: &Accounts) -> Vec<Vec<Owner>> {
    accounts.take_searched().await.into_iter().map(|searched| searched.owners).collect()
}

const ALL: [&str; 3] = ["E2B_API_KEY", "MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"];

#[tokio::test]
async fn the_deployments_accounts_are_searched_once_and_then_where_it_costs_nothing() {
    let accounts = accounts(&ALL).await;
    assert_eq!(searched(&accounts).await, [[(0, None)], [(1, None)]], "whoever ran here before may have been killed");
    for _ in 0..2 {
        assert_eq!(searched(&accounts).await, [[(0, None)]], "no process is started for an account that nobody uses");
    }
    accounts.of_tenant(&modal(OTHER)).await.map(drop).expect("the deployment's account");
    let found = accounts.take_searched().await;
    assert_eq!(found.iter().map(|one| one.owners.clone()).collect::<Vec<_>>(), [[(0, None)], [(1, None)]], "it was used");
    // Machines are there.
    accounts.keep(&found[1]);
    assert_eq!(searched(&accounts).await.len(), 2);
    assert_eq!(searched(&accounts).await.len(), 1);
}

#[tokio::test]
async fn a_tenants_account_is_forgotten_until_it_is_used_again() {
    let accounts = accounts(&[]).await;
    assert!(searched(&accounts).await.is_empty(), "it has no accounts of its own");
    for tenant in [OWN, SAME] {
        accounts.of_tenant(&modal(tenant)).await.map(drop).expect("its own account");
    }
    assert_eq!(searched(&accounts).await, [[(1, Some(OWN)), (1, Some(SAME))]], "the same account is searched once");
    assert!(searched(&accounts).await.is_empty());
    // A machine that could not be killed is looked for, whoever's account it is in.
    accounts.search_for(&modal(SAME));
    assert_eq!(searched(&accounts).await, [[(1, Some(SAME))]]);
    assert!(accounts.of_tenant(&modal(OTHER)).await.is_err(), "it has no keys");
}

/// Whoever has keys pays for itself, and nobody else's program runs in its account.
#[tokio::test]
async fn a_tenant_with_keys_of_its_own_uses_no_other_account() {
    let accounts = accounts(&ALL).await;
    searched(&accounts).await;
    accounts.of_tenant(&modal(OWN)).await.map(drop).expect("its own account");
    assert_eq!(searched(&accounts).await, [[(0, None)], [(1, Some(OWN))]]);
    accounts.of_tenant(&modal(OTHER)).await.map(drop).expect("the deployment's account");
    assert_eq!(searched(&accounts).await, [[(0, None)], [(1, None)]]);
}

#[tokio::test]
async fn no_more_accounts_are_searched_than_a_worker_can_hold() {
    let accounts = accounts(&[]).await;
    (0..2 * SEARCHED as u128).for_each(|n| accounts.search_for(&modal(Uuid::from_u128(n))));
    assert_eq!(accounts.searched.lock().expect("never poisoned").len(), SEARCHED);
}

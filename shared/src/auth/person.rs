//! People by the address that they sign in with.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::json;

use crate::db::{self, Db, Query};

/// More than this many people of a tenant are not named.
const MOST: &str = "1000";

#[derive(Deserialize)]
struct Person {
    id: String,
    email: String,
}

/// Remembers whom the client acts for. A token without an address is nobody to be remembered.
pub async fn record_sign_in(db: &Db) -> Result<(), db::Error> {
    db.call("record_sign_in", &json!({})).await
}

/// The addresses of the tenant's people, by the subject of their tokens.
pub async fn people(db: &Db) -> Result<HashMap<String, String>, db::Error> {
    let people: Vec<Person> = db.read(&Query::of("person", [("select", "id,email"), ("order", "seen_at.desc"), ("limit", MOST)])).await?;
    Ok(people.into_iter().map(|person| (person.id, person.email)).collect())
}

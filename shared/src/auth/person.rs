//! People by the email address that they sign in with.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::json;

use crate::db::{self, Db, Query};

/// Number of people of a tenant that are read.
const MAX_PEOPLE: &str = "1000";

#[derive(Deserialize)]
struct Person {
    id: String,
    email: String,
}

/// Records the person that the client acts for; a token without an email address records no one.
pub async fn record_sign_in(db: &Db) -> Result<(), db::Error> {
    db.call("record_sign_in", &json!({})).await
}

/// The email addresses of the tenant's people, by the subject of their tokens.
pub async fn people(db: &Db) -> Result<HashMap<String, String>, db::Error> {
    let newest = Query::of("person", [("select", "id,email"), ("order", "seen_at.desc"), ("limit", MAX_PEOPLE)]);
    let people: Vec<Person> = db.read(&newest).await?;
    Ok(people.into_iter().map(|person| (person.id, person.email)).collect())
}

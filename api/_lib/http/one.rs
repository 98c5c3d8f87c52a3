//! Reads one thing, or refuses with the problem that names it.

use nofx_shared::db::{Db, Query};
use nofx_shared::problem::{Kind, Problem};
use serde::de::DeserializeOwned;

use super::Refusal;

/// The first row of a query; without one, a problem of this kind. `detail` names what is missing, and where to look for it.
pub(crate) async fn one<T: DeserializeOwned>(db: &Db, query: &Query, kind: Kind, detail: String) -> Result<T, Refusal> {
    let found: Vec<T> = db.read(query).await?;
    found.into_iter().next().ok_or_else(|| Problem::new(kind, detail).into())
}

use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Portable;
use crate::step::Attempt;

/// Inserts, updates, upserts or deletes rows of a table that a rule of the tenant names (see docs/db-write.md).
///
/// The rows are written in the transaction that settles the step: a retry never writes twice. The changed rows are in `outputs.before` and
/// `outputs.after`, and in the audit log. Update, upsert and delete wait for `manual:db` unless the tenant's policy says otherwise;
/// with `dry_run` nothing is written and no approval is required.
#[derive(JsonSchema)]
pub(super) struct DbWrite;

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// `insert`, `update`, `upsert` or `delete`.
    op: Operation,
    /// `schema.table`, as the rule names it.
    table: String,
    /// One row as `{column: value}`: for insert, update and upsert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    values: Option<Map<String, Value>>,
    /// Several rows that name the same columns: for insert and upsert.
    #[serde(default, skip_serializing)]
    rows: Vec<Map<String, Value>>,
    /// Which rows, for update and delete: all of `{"column": …, "op": "eq", "value": …}`; `op` is one of eq, neq, lt, lte, gt, gte, in,
    /// `is_null`, `not_null`.
    #[serde(default)]
    filters: Vec<Filter>,
    /// Columns that identify a row, for upsert.
    #[serde(default)]
    on_conflict: Vec<String>,
    /// Only show which rows would change.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Operation {
    Insert,
    Update,
    Upsert,
    Delete,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Filter {
    column: String,
    op: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    value: Value,
}

impl Portable for DbWrite {
    const TOOL: &'static str = "db_write";
    const TIMEOUT_S: u64 = 30;
    type Inputs = Inputs;

    async fn run(_: &Attempt<'_>, mut inputs: Inputs) -> Result<Outcome, Failure> {
        let mut rows = std::mem::take(&mut inputs.rows);
        match inputs.values.take() {
            Some(values) if rows.is_empty() => rows.push(values),
            Some(_) => return Err(Failure::permanent("set either `values` or `rows`")),
            None => {}
        }
        let mut write = serde_json::to_value(&inputs).map_err(|error| Failure::permanent(error.to_string()))?;
        write["rows"] = Value::Array(rows.into_iter().map(Value::Object).collect());
        // The database checks the write against the rule and applies it when the step is settled.
        Ok(Outcome::Write { write })
    }
}

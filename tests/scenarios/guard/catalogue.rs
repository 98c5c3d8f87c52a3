//! The functions of the database, from its own catalogue, and arguments that they accept.

use nofx_tests::stack::STACK;
use serde_json::{Value, json};

/// Columns to PostgREST: they take a row, which no argument fits.
pub(super) const COLUMNS: [&str; 5] = ["origin", "sandbox_use", "shown_inputs", "shown_waits_for", "waits_for_me"];

/// A function that PostgREST exposes.
pub(super) struct Function {
    pub name: String,
    /// Names and types of its arguments.
    pub arguments: Vec<(String, String)>,
    /// Whether the API calls it on behalf of people.
    pub is_for_people: bool,
}

pub(super) async fn functions() -> Vec<Function> {
    let sql = STACK.sql().await;
    let rows = sql.query(
        "select p.proname::text, coalesce(array_agg(a.name order by a.n) filter (where a.name is not null), '{}'),
                coalesce(array_agg(format_type(a.type, null) order by a.n) filter (where a.name is not null), '{}'),
                has_function_privilege('nofx_api', p.oid, 'execute')
           from pg_proc p join pg_namespace s on s.oid = p.pronamespace
           left join lateral unnest(p.proargnames, p.proargtypes::oid[]) with ordinality as a (name, type, n) on a.n <= p.pronargs
          where s.nspname = 'nofx' and p.prokind = 'f' group by p.oid, p.proname order by 1",
        &[],
    );
    let function = |row: &tokio_postgres::Row| {
        let (names, types): (Vec<String>, Vec<String>) = (row.get(1), row.get(2));
        Function { name: row.get(0), arguments: names.into_iter().zip(types).collect(), is_for_people: row.get(3) }
    };
    let found: Vec<Function> = rows.await.expect("functions").iter().map(function).collect();
    assert!(found.len() > 60, "the functions were not found: {}", found.len());
    found
}

/// An argument of this name and type that is accepted.
pub(super) fn value(name: &str, kind: &str, id: &Value) -> Value {
    match kind {
        "uuid" => id.clone(),
        "uuid[]" => json!([id]),
        // It must be a valid decision, or it is refused for that alone.
        "text" if name == "p_decision" => json!("approve"),
        "boolean" => json!(false),
        "integer" | "bigint" | "numeric" | "real" | "double precision" => json!(1),
        "text[]" => json!([]),
        "json" | "jsonb" if name.ends_with('s') => {
            json!([{"step_id": id, "token": id, "kind": "done", "key": "k", "n": 1, "limit": 1, "window_s": 60}])
        }
        "json" | "jsonb" => json!({"goal": "taken over"}),
        "interval" => json!("1 second"),
        "timestamp with time zone" => json!("2030-01-01T00:00:00Z"),
        "nofx.person_role" => json!("admin"),
        "nofx.hook_phase" => json!("post"),
        "nofx.webhook_provider" => json!("github"),
        "nofx.alert_kind" => json!("queue_depth"),
        "nofx.dlq_reason" => json!("poison"),
        "nofx.retained" => json!("runs"),
        "nofx.driver" => json!("e2b"),
        "nofx.isolation_level" => json!("L1"),
        _ => json!("x"),
    }
}

//! A query: a table and PostgREST's filters. The database decides which rows are visible.

/// One page of rows.
pub struct Query {
    pub table: &'static str,
    /// PostgREST's query string: `select=…&order=…&run_id=eq.…`; values percent-encoded.
    pub filters: Vec<(String, String)>,
}

impl Query {
    pub fn of<K: Into<String>, V: Into<String>>(table: &'static str, filters: impl IntoIterator<Item = (K, V)>) -> Self {
        Self { table, filters: filters.into_iter().map(|(key, value)| (key.into(), value.into())).collect() }
    }
}

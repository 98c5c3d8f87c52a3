use std::collections::BTreeMap;

use serde_json::Value;

use crate::fakes::machine::LocalMachine;

/// A sandbox, until it is killed.
pub(super) struct Sandbox {
    pub id: String,
    pub token: String,
    pub metadata: BTreeMap<String, String>,
    pub machine: LocalMachine,
}

impl Sandbox {
    pub(super) async fn new(asked: &Value) -> Self {
        let metadata = serde_json::from_value(asked["metadata"].clone()).unwrap_or_default();
        let has_network = asked["allow_internet_access"].as_bool().unwrap_or(true);
        let id = format!("i{}", uuid::Uuid::now_v7().simple());
        let token = format!("token-of-{id}");
        Self { id, token, metadata, machine: LocalMachine::start(has_network).await }
    }
}

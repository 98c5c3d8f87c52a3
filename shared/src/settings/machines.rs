use std::collections::BTreeMap;

use super::{Reader, Tasks};

/// Where steps get machines of their own.
#[derive(Clone, Default)]
pub struct Machines {
    /// `E2B_API_KEY`, `MODAL_TOKEN_ID`, `MODAL_TOKEN_SECRET`: the deployment's own keys, by these names; a tenant that has secrets of these names uses its own account.
    pub keys: BTreeMap<String, String>,
    pub e2b: E2b,
    /// None without `NOFX_MODAL_PYTHON`.
    pub modal: Option<Modal>,
    pub tasks: Option<Tasks>,
}

/// E2B, or what speaks as it does. The names are those of its own programs.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct E2b {
    /// `E2B_API_URL`: E2B's own when not set.
    pub api_url: String,
    /// `E2B_SANDBOX_URL`: one address for all sandboxes; when not set, each has its own below the domain that E2B names.
    pub sandbox_url: Option<String>,
}

/// How Modal is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modal {
    /// `NOFX_MODAL_PYTHON`: a Python with Modal's SDK.
    pub python: String,
    /// `MODAL_SERVER_URL`, as the SDK names it: Modal's own when not set.
    pub server_url: Option<String>,
}

impl Reader {
    pub(super) fn machines(&mut self) -> Machines {
        let keys = ["E2B_API_KEY", "MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), self.text(name)?)))
            .collect();
        let e2b = E2b {
            api_url: self.url("E2B_API_URL").unwrap_or_else(|| "https://api.e2b.app".to_owned()),
            sandbox_url: self.url("E2B_SANDBOX_URL"),
        };
        let modal = self.text("NOFX_MODAL_PYTHON").map(|python| Modal { python, server_url: self.url("MODAL_SERVER_URL") });
        Machines { keys, e2b, modal, tasks: self.tasks() }
    }
}

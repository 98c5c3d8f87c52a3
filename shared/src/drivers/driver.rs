//! Where the tool of a step runs.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Level, Placement};

/// What executes a step. The database has the same names (`nofx.driver`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Driver {
    /// The worker's own machine; with a `placement` a container of the step's own at ECS.
    #[default]
    WorkerContainer,
    /// A function at Vercel: for tools that run no program of the plan's or the repository's and need no workspace.
    VercelFunction,
    /// A sandbox at Modal.
    Modal,
    /// A sandbox at E2B.
    E2b,
}

/// The tools that need no workspace, or call nothing but a model.
const WITHOUT_WORKSPACE: [&str; 5] = ["noop", "http", "db_write", "plan:make", "codegen"];

impl Driver {
    pub const ALL: [Self; 4] = [Self::WorkerContainer, Self::VercelFunction, Self::Modal, Self::E2b];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::WorkerContainer => "worker-container",
            Self::VercelFunction => "vercel-function",
            Self::Modal => "modal",
            Self::E2b => "e2b",
        }
    }

    /// Whether it executes steps with this tool.
    pub fn takes(self, tool: &str) -> bool {
        match self {
            Self::WorkerContainer => true,
            Self::VercelFunction => WITHOUT_WORKSPACE.contains(&tool),
            Self::Modal | Self::E2b => runs_foreign_code(tool),
        }
    }

    /// The tools that it executes, for people.
    pub(super) fn tools(self) -> String {
        match self {
            Self::WorkerContainer => "all tools".to_owned(),
            Self::VercelFunction => WITHOUT_WORKSPACE.join(", "),
            Self::Modal | Self::E2b => "bash, gate:*".to_owned(),
        }
    }

    /// The highest level that it can reach; none where no program of the plan's or the repository's runs.
    pub fn highest_level(self, placement: Option<Placement>) -> Option<Level> {
        match (self, placement) {
            (Self::WorkerContainer, None) => Some(Level::L3),
            (Self::WorkerContainer, Some(Placement::Ecs)) | (Self::Modal | Self::E2b, _) => Some(Level::L4),
            (Self::VercelFunction, _) => None,
        }
    }
}

/// Whether a tool runs programs that the plan or the repository brings.
pub(crate) fn runs_foreign_code(tool: &str) -> bool {
    tool == "bash" || tool.starts_with("gate:")
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Driver, Level, Placement};

    #[test]
    fn drivers_have_one_spelling() {
        for driver in Driver::ALL {
            assert_eq!(serde_json::to_value(driver).expect("JSON"), driver.as_str());
            assert_eq!(serde_json::from_value::<Driver>(json!(driver.as_str())).expect("a driver"), driver);
        }
        for wrong in [json!("E2B"), json!("worker_container"), json!(""), json!(null), json!(1), json!(["e2b"])] {
            assert!(serde_json::from_value::<Driver>(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_function_runs_no_foreign_code_and_a_sandbox_nothing_else() {
        for tool in ["bash", "gate:unit", "gate:audit", "git:push", "workspace:write", "manual:x", "db_write:delete", ""] {
            assert!(!Driver::VercelFunction.takes(tool), "{tool}");
        }
        for tool in ["noop", "http", "db_write", "plan:make", "codegen"] {
            assert!(Driver::VercelFunction.takes(tool) && Driver::WorkerContainer.takes(tool) && !Driver::E2b.takes(tool), "{tool}");
        }
        assert!(Driver::E2b.takes("bash") && Driver::Modal.takes("gate:unit") && !Driver::Modal.takes("git:push"));
    }

    #[test]
    fn only_a_machine_of_its_own_is_the_highest_level() {
        assert_eq!(Driver::WorkerContainer.highest_level(None), Some(Level::L3));
        assert_eq!(Driver::WorkerContainer.highest_level(Some(Placement::Ecs)), Some(Level::L4));
        assert_eq!((Driver::Modal.highest_level(None), Driver::E2b.highest_level(None)), (Some(Level::L4), Some(Level::L4)));
        assert_eq!(Driver::VercelFunction.highest_level(None), None);
    }
}

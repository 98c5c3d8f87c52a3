use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::{Aws, Invalid, Reader};

/// Tasks of steps at ECS (`placement: task`). The template `service.yaml` makes what they name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tasks {
    pub aws: Aws,
    /// `NOFX_TASK_CLUSTER`
    pub cluster: String,
    /// `NOFX_TASK_DEFINITION`: a family, or one with its revision.
    pub definition: String,
    /// `NOFX_TASK_SUBNETS`, separated by commas.
    pub subnets: Vec<String>,
    /// `NOFX_TASK_SECURITY_GROUPS`: they let workers in, and out what the operator allows.
    pub groups: Vec<String>,
    /// `NOFX_TASK_CLOSED_SECURITY_GROUPS`: they let workers in, and nothing out. Without them no step can have `network: none`.
    pub closed_groups: Vec<String>,
    /// `NOFX_TASK_PUBLIC_IP`: whether tasks get public addresses, where no gateway lets them out.
    pub public_ip: bool,
}

impl Reader {
    /// None without `NOFX_TASK_CLUSTER`.
    pub(super) fn tasks(&mut self) -> Option<Tasks> {
        let cluster = self.text("NOFX_TASK_CLUSTER")?;
        let aws = self.aws();
        // The name that AWS' own programs read.
        let endpoint = self.url("AWS_ENDPOINT_URL_ECS").or(aws.endpoint);
        Some(Tasks {
            aws: Aws { endpoint, ..aws },
            cluster,
            definition: self.required("NOFX_TASK_DEFINITION"),
            subnets: list(&self.required("NOFX_TASK_SUBNETS")),
            groups: list(&self.required("NOFX_TASK_SECURITY_GROUPS")),
            closed_groups: list(&self.text("NOFX_TASK_CLOSED_SECURITY_GROUPS").unwrap_or_default()),
            public_ip: self.parsed("NOFX_TASK_PUBLIC_IP", false),
        })
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

/// The program in a task of a step.
pub struct TaskServer {
    pub address: SocketAddr,
    /// `NOFX_TASK_TOKEN`: who speaks to it must have this.
    pub token: String,
    /// `NOFX_TASK_LIFETIME_S`: when it ends, whatever happens to its worker.
    pub lifetime: Duration,
}

impl TaskServer {
    pub const PORT: u16 = 8080;
}

/// Reads the settings of the program in a task.
pub fn task_server() -> Result<TaskServer, Invalid> {
    let mut reader = Reader::default();
    let server = TaskServer {
        address: SocketAddr::new(reader.parsed("NOFX_TASK_ADDRESS", Ipv4Addr::UNSPECIFIED).into(), TaskServer::PORT),
        token: reader.required("NOFX_TASK_TOKEN"),
        lifetime: Duration::from_secs(reader.parsed("NOFX_TASK_LIFETIME_S", 3600)),
    };
    reader.finish(server)
}

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::{Invalid, Reader, ToolFolder};

/// How steps are kept apart from the worker and from each other: what a worker's supervisor reads.
#[derive(Clone, Debug)]
pub struct Isolation {
    /// `NOFX_WORKER_NAME`; default: made from the process id.
    pub worker: String,
    /// `NOFX_WORKSPACES`: folder for checkouts; the worker creates it for itself, and takes none that others can write to.
    pub workspaces: PathBuf,
    /// `NOFX_DEPENDENCY_CACHE`: see `Worker::dependency_cache`.
    pub dependency_cache: PathBuf,
    /// `NOFX_ISOLATION=none`: steps run as the worker's own user, with all that it can reach. For machines that can do no better.
    pub is_none: bool,
    /// `NOFX_WORKER_USER`: the user id that a worker runs as when it is started by root; default: 10001.
    pub worker_user: u32,
    /// `NOFX_STEP_USERS`: user ids that steps run as when the worker is started by root; default: `20000-59999`. No account may have one.
    pub step_users: RangeInclusive<u32>,
    /// `NOFX_TOOLCHAINS`: folders that steps may read beside those of the system, separated by colons, each with its toolchain's name and `=`
    /// before it, if it has one; default: those of `PATH`, and the usual ones in the home. With that of `NOFX_ADVISORY_DB`, and the file of
    /// `SSL_CERT_FILE`.
    pub toolchains: Vec<ToolFolder>,
    /// `NOFX_STEP_PORTS`: the TCP ports that a step may connect to, with `network: all` on any host, with `proxy` on the hosts that the
    /// egress proxy reaches; default: SSH, DNS, the web, git. A service of this machine that steps must not reach listens on none of them.
    pub step_ports: Vec<u16>,
}

const STEP_PORTS: [u16; 5] = [22, 53, 80, 443, 9418];

/// Reads the settings of a supervisor.
pub fn isolation() -> Result<Isolation, Invalid> {
    let mut reader = Reader::default();
    let isolation = reader.isolation();
    reader.finish(isolation)
}

impl Reader {
    fn isolation(&mut self) -> Isolation {
        let (worker_user, step_users) = (self.parsed("NOFX_WORKER_USER", 10001), self.step_users());
        if worker_user == 0 || step_users.contains(&worker_user) {
            self.problems.push("NOFX_WORKER_USER: is root, or one of NOFX_STEP_USERS; the worker needs a user of its own".to_owned());
        }
        Isolation {
            worker: self.worker_name(),
            workspaces: self.workspaces(),
            dependency_cache: self.dependency_cache(),
            is_none: self.is_isolation_none(),
            worker_user,
            step_users,
            toolchains: self.toolchains(),
            step_ports: self.step_ports(),
        }
    }

    /// Whether steps are not isolated at all, which the operator has to say by name.
    pub(super) fn is_isolation_none(&mut self) -> bool {
        match self.text("NOFX_ISOLATION").as_deref() {
            None => false,
            Some("none") => true,
            Some(other) => {
                self.problems.push(format!("NOFX_ISOLATION: `{other}` is not `none`; leave it away to isolate steps"));
                false
            }
        }
    }

    fn step_users(&mut self) -> RangeInclusive<u32> {
        let text = self.text("NOFX_STEP_USERS").unwrap_or_else(|| "20000-59999".to_owned());
        let range = text.split_once('-').and_then(|(first, last)| Some(first.parse().ok()?..=last.parse().ok()?));
        // Root and the accounts of a system are none of them.
        range.filter(|range: &RangeInclusive<u32>| *range.start() >= 1000 && range.start() <= range.end()).unwrap_or_else(|| {
            self.problems.push(format!("NOFX_STEP_USERS: `{text}` is no range of user ids from 1000 on, such as 20000-59999"));
            20000..=59999
        })
    }

    pub(super) fn step_ports(&mut self) -> Vec<u16> {
        let ports = self.list("NOFX_STEP_PORTS");
        match ports.iter().map(|port| port.parse()).collect() {
            Ok(ports) if !Vec::is_empty(&ports) => ports,
            Ok(_) => STEP_PORTS.to_vec(),
            Err(_) => {
                self.problems.push(format!("NOFX_STEP_PORTS: `{}` are no ports separated by commas", ports.join(",")));
                STEP_PORTS.to_vec()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::isolation;
    use crate::settings::{advisory_db, hand_over};

    /// In a process of its own, as each test is: what is handed over stays.
    #[test]
    fn the_database_of_advisories_is_a_folder_that_steps_may_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().to_string_lossy().into_owned();
        let variables = [("NOFX_ADVISORY_DB", path.as_str()), ("NOFX_TOOLCHAINS", "/opt/tools:relative")];
        hand_over(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(advisory_db().expect("a folder").as_deref(), Some(dir.path()));
        let mut expected = vec!["/opt/tools".into(), dir.path().to_owned()];
        expected.sort();
        let toolchains = isolation().expect("settings").toolchains;
        assert_eq!(toolchains.into_iter().map(|folder| folder.path).collect::<Vec<_>>(), expected);
        dir.close().expect("removed");
        let (one, other) = (advisory_db().expect_err("it is not there"), isolation().expect_err("it is not there"));
        assert!(one.to_string().contains("NOFX_ADVISORY_DB") && other.to_string().contains("NOFX_ADVISORY_DB"), "{one} {other}");
    }
}

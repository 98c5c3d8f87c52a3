//! Requests of a worker that start no process: the tests' own program is no keeper.

use std::collections::BTreeMap;

use nofx_shared::drivers::{Limits, Network};

use super::*;
use crate::launch::Namespaces;

fn supervisor(root: &Path) -> Supervisor {
    let places = Places {
        least: None,
        tools: crate::tools::Tools::default(),
        memory_mb: None,
        ports: vec![],
        exe: "/no/such/program".into(),
        outside: Namespaces::default(),
    };
    let folders = Folders::new(&root.join("workspaces"), "test", None).expect("folders");
    Supervisor::new(Socket::pair().expect("a pair").0, Pid::this(), folders, places, None)
}

fn output() -> Vec<OwnedFd> {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    vec![reader.into(), writer.into()]
}

#[test]
fn what_was_made_for_a_process_that_is_not_started_is_removed() {
    let root = tempfile::tempdir().expect("a folder");
    let mut supervisor = supervisor(root.path());
    let dir = supervisor.folders.scratch(None).expect("a folder");
    let process = |network| Process {
        argv: vec!["bash".to_owned()],
        script: Some("echo".to_owned()),
        dir: dir.clone(),
        env: BTreeMap::new(),
        level: None,
        limits: Limits::default(),
        network,
        proxy_port: None,
        toolchains: None,
        scratch: None,
    };
    let why = supervisor.run(1, process(Network::Proxy), output()).expect_err("there is no proxy");
    assert!(why.contains("no egress proxy"), "{why}");
    let [scratch] = supervisor.left.make_contiguous() else { panic!("one folder: {:?}", supervisor.left) };
    assert_eq!(std::fs::read_to_string(scratch.join(SCRIPT)).expect("it is there until then"), "echo");
    // Nothing is made for what is refused before.
    assert!(supervisor.run(2, process(Network::All), vec![]).is_err());
    assert!(supervisor.run(3, Process { dir: "/".into(), ..process(Network::All) }, output()).is_err());
    assert!(supervisor.run(4, Process { level: Some(nofx_shared::drivers::Level::L1), ..process(Network::All) }, output()).is_err());
    assert_eq!(supervisor.left.len(), 1);
}

#[test]
fn an_answer_that_cannot_be_sent_is_an_error_for_whoever_waits() {
    let root = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = Socket::pair().expect("a pair");
    let mut supervisor = Supervisor { worker: ours, ..supervisor(root.path()) };
    let large = Answer::Created("x".repeat(17 << 20).into());
    supervisor.answers.push_back((FromSupervisor { id: 7, answer: Ok(large) }, None));
    supervisor.send_answers();
    assert!(supervisor.answers.is_empty());
    let (FromSupervisor { id, answer }, _) = Socket::of(theirs).receive().expect("received").expect("a message");
    assert!(id == 7 && answer.is_err_and(|why| why.contains("too large")));
}

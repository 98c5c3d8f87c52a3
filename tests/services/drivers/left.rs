//! What a program leaves behind on a machine of its step's own is ended before the next program of the attempt begins, as here.

use std::collections::BTreeMap;

use nofx_tests::fakes::machine::LocalMachine;

use super::stack::{is_there, mark};

const START: &str = include_str!("../../../worker/src/drivers/machine/scripts/start.sh");
const COLLECT: &str = include_str!("../../../worker/src/drivers/machine/scripts/collect.sh");

async fn script(machine: &LocalMachine, script: &str, arguments: &[&str]) -> String {
    let argv: Vec<String> = ["/bin/bash", "-c", script, "nofx"].iter().chain(arguments).map(|text| (*text).to_owned()).collect();
    let output = machine.command(&argv, &BTreeMap::new(), "/tmp").output().await.expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_finds_no_process_of_the_one_before() {
    let machine = LocalMachine::start(false).await;
    for folder in ["tmp/nofx", "tmp/work"] {
        std::fs::create_dir(machine.path(folder)).expect("a folder");
    }
    std::fs::write(machine.path("tmp/nofx/before"), "").expect("written");
    let marks = [mark("left"), mark("left-again")];
    for mark in &marks {
        // It forks twice, and leaves its session.
        let leave =
            format!("(setsid bash -c '(exec -a {mark} sleep 600) &' >/dev/null 2>&1 &); sleep 0.3; truncate -s 1T large; echo x > small");
        script(&machine, START, &["/tmp/work", "", "", "bash", "-c", &leave]).await;
        assert!(is_there(mark), "it is there until it is ended");
        assert_eq!(script(&machine, COLLECT, &["/tmp/work"]).await, "output none\nchanged\n");
        assert!(!is_there(mark), "the next program would find it");
    }
    // What a file claims to have is not sent.
    let sent = std::fs::metadata(machine.path("tmp/nofx/changed.tar")).expect("an archive").len();
    assert!(sent < 1 << 20, "{sent}");
}

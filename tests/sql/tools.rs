//! Which tools run programs that a plan or a repository brings is written down for Rust and for SQL, and is a fact of the handlers. A tool
//! that one of them leaves out would have no minimum of isolation, or take no sandbox of the quota.

use std::collections::BTreeSet;
use std::path::Path;

use nofx_shared::drivers::Driver;
use nofx_shared::plan::TOOLS;
use nofx_tests::own::Own;
use nofx_tests::stack::root;

/// The tools whose handlers start programs of a step, by their sources: those that call `StepContext::run`, and gates, whose context does.
fn starting(folder: &Path, has_context: bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(starting(&path, has_context));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            let tools = text.split("const TOOL: &'static str = \"").skip(1).filter_map(|rest| rest.split('"').next());
            if has_context || text.contains("step.run(") {
                let tools: Vec<String> = tools.map(str::to_owned).collect();
                assert!(has_context || !tools.is_empty(), "{}: only the file of a tool runs its programs", path.display());
                found.extend(tools);
            }
        }
    }
    found
}

#[tokio::test]
async fn rust_sql_and_handlers_agree_which_tools_run_programs() {
    let handlers = root().join("worker/src");
    let mut starting_tools = starting(&handlers.join("handlers"), false);
    let gates = starting(&handlers.join("gates"), true);
    assert!(starting_tools.contains("bash") && gates.contains("gate:unit"), "the handlers were not read: {starting_tools:?} {gates:?}");
    starting_tools.extend(gates);

    let stack = Own::start(&Own::folder("tools"), &["--workers", "0"]);
    let sql = stack.sql().await;
    for tool in TOOLS.iter().map(|tool| tool.replace('*', "x")) {
        let starts = starting_tools.contains(&tool);
        let counted: bool = sql.query_one("select nofx_private.runs_programs($1, '{}')", &[&tool]).await.expect("an answer").get(0);
        assert_eq!(Driver::E2b.takes(&tool), starts, "{tool}: shared/src/drivers/driver.rs, runs_foreign_code, and its handler disagree");
        assert_eq!(Driver::Modal.takes(&tool), starts, "{tool}: both machines take what runs programs");
        assert_eq!(counted, starts, "{tool}: 0602_drivers_sandbox_slot.sql, runs_programs, and its handler disagree");
    }
}

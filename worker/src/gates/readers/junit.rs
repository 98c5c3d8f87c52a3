//! JUnit XML: `testcase[classname, name, file, line]` with `failure`, `error` or `skipped` in it.

use nofx_shared::gates::{Finding, Severity, TestCount};
use roxmltree::{Document, Node};

use super::reading::{Reading, ToolOutput, finding};

pub(super) fn read(output: &ToolOutput<'_>) -> Result<Reading, String> {
    let document = Document::parse(output.stdout.trim()).map_err(|error| error.to_string())?;
    let root = document.root_element();
    if !matches!(root.tag_name().name(), "testsuites" | "testsuite") {
        return Err(format!("<{}> is not the root of JUnit XML", root.tag_name().name()));
    }
    let mut tests = TestCount::default();
    let mut findings = vec![];
    for case in root.descendants().filter(|node| node.has_tag_name("testcase")) {
        let inside = |name: &str| case.children().find(|child| child.has_tag_name(name));
        match inside("failure").or_else(|| inside("error")) {
            Some(fault) => {
                tests.failed += 1;
                findings.push(failed(case, fault));
            }
            None if inside("skipped").is_some() => tests.skipped += 1,
            None => tests.passed += 1,
        }
    }
    Ok(Reading { findings, tests: Some(tests) })
}

fn failed(case: Node<'_, '_>, fault: Node<'_, '_>) -> Finding {
    let name = case.attribute("name").unwrap_or_default();
    let rule =
        case.attribute("classname").filter(|class| !class.is_empty()).map_or_else(|| name.to_owned(), |class| format!("{class}::{name}"));
    let message = fault.attribute("message").filter(|text| !text.is_empty()).or_else(|| fault.text()).unwrap_or("the test failed");
    Finding {
        file: case.attribute("file").map(str::to_owned),
        line: case.attribute("line").and_then(|line| line.parse().ok()),
        rule: Some(rule),
        ..finding(Severity::Error, message)
    }
}

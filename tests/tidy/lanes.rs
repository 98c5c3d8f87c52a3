//! The commands that `package.json` names: each calls ours, and the lanes of the tests cover every binary of tests.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::layout::{files, root};

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn scripts() -> Vec<(String, String)> {
    let package: Value = serde_json::from_str(&read("package.json")).expect("JSON");
    let scripts = package["scripts"].as_object().expect("scripts");
    scripts.iter().map(|(name, command)| (name.clone(), command.as_str().expect("a command").to_owned())).collect()
}

/// The lanes: the labels of the `case` of scripts/test.sh.
fn lanes() -> BTreeSet<String> {
    let text = read("scripts/test.sh");
    let cases = text.split("case \"$lane\" in").nth(1).and_then(|rest| rest.split("esac").next()).expect("the lanes");
    let label = |line: &str| Some(line.trim().split_once(')')?.0.to_owned()).filter(|label| label.chars().all(char::is_alphanumeric));
    cases.lines().filter_map(label).collect()
}

#[test]
fn every_lane_has_a_command_and_every_command_of_a_lane_has_one() {
    let named: BTreeSet<String> = scripts().iter().filter_map(|(name, _)| name.strip_prefix("test:").map(str::to_owned)).collect();
    assert_eq!(named, lanes());
    for (name, command) in scripts() {
        if let Some(lane) = name.strip_prefix("test:") {
            assert_eq!(command, format!("scripts/test.sh {lane}"));
        }
    }
}

#[test]
fn every_command_calls_a_script_or_cargo() {
    for (name, command) in scripts() {
        let program = command.split(' ').next().expect("a program");
        assert!(program == "cargo" || root().join(program).is_file(), "package.json: {name} calls {program}");
    }
}

#[test]
fn every_binary_of_tests_is_in_a_lane() {
    let (script, manifest) = (read("scripts/test.sh"), read("tests/Cargo.toml"));
    let names = manifest.split("[[test]]\nname = \"").skip(1).filter_map(|rest| rest.split('"').next());
    // The rules of the house judge the checkout, not the product.
    for name in names.filter(|name| *name != "tidy") {
        assert!(script.contains(&format!("binary({name})")), "scripts/test.sh: no lane has binary({name})");
    }
}

#[test]
fn no_test_is_left_out() {
    // A test that takes long has a short form, and a long one with `NOFX_TEST_LONG`.
    let attribute = ["#[", "ignore"].concat();
    let found: Vec<String> = files(&["api", "cli", "sandbox", "shared", "supabase/local", "tests", "worker"], &["rs"])
        .into_iter()
        .filter(|file| std::fs::read_to_string(file).expect("text").lines().any(|line| line.trim_start().starts_with(&attribute)))
        .map(|file| file.display().to_string())
        .collect();
    assert!(found.is_empty(), "give these tests a short form that always runs:\n  {}", found.join("\n  "));
}

//! Dependencies. `deny.toml` says which are allowed; cargo-deny, which the workflow `ci` runs, reads the same file and knows advisories
//! too (`scripts/advisories.sh`), but to compile it takes longer than all of these tests.
#![expect(clippy::disallowed_methods, reason = "runs cargo")]

use serde_json::{Value, json};
use spdx::Expression;

use crate::layout::root;

/// What cargo calls crates.io, wherever it downloads from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// All crates that `Cargo.lock` names.
fn crates() -> Vec<Value> {
    let mut cargo = tokio::process::Command::new(env!("CARGO"));
    nofx_tests::suite::unset_package(&mut cargo);
    let output = cargo.into_std().args(["metadata", "--locked", "--format-version", "1"]).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages: Vec<Value> = serde_json::from_value(metadata["packages"].take()).expect("packages");
    assert!(packages.len() > 100, "only {} crates", packages.len());
    packages
}

fn deny() -> Value {
    toml::from_str(&std::fs::read_to_string(root().join("deny.toml")).expect("text")).expect("TOML")
}

#[test]
fn every_crate_has_a_licence_that_is_allowed() {
    let deny = deny();
    let allowed: Vec<&str> = deny["licenses"]["allow"].as_array().expect("licences").iter().filter_map(Value::as_str).collect();
    // Ours have `publish = false`.
    for one in crates().into_iter().filter(|one| one["publish"] != json!([])) {
        // Before SPDX's expressions a slash meant OR.
        let said = one["license"].as_str().unwrap_or_default().replace('/', " OR ");
        let is_allowed = Expression::parse(&said).is_ok_and(|one| one.evaluate(|asked| allowed.contains(&&*asked.to_string())));
        assert!(is_allowed, "{} {} has the licence `{said}`, which deny.toml does not allow", one["name"], one["version"]);
    }
}

#[test]
fn no_crate_is_banned_and_all_come_from_a_registry() {
    let deny = deny();
    let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_else(|| panic!("say the {name} of {one}")).to_owned();
    let banned = deny["bans"]["deny"].as_array().expect("crates").iter();
    let banned: Vec<(String, String)> = banned.map(|one| (text(one, "crate"), text(one, "reason"))).collect();
    assert!(!banned.is_empty() && banned.iter().all(|(name, _)| !name.contains('@')), "a crate is banned in all of its versions");
    for rule in ["multiple-versions", "wildcards"] {
        assert_eq!(deny["bans"][rule], "allow", "only cargo-deny looks at {rule}");
    }
    for one in crates() {
        if let Some((_, reason)) = banned.iter().find(|(name, _)| one["name"] == *name) {
            panic!("{} {} is banned: {reason}", one["name"], one["version"]);
        }
        let is_ours = one["source"].is_null() && one["publish"] == json!([]);
        assert!(is_ours || one["source"] == REGISTRY, "{} comes from {}", one["name"], one["source"]);
    }
}

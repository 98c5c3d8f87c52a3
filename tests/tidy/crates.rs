//! What we build on. `deny.toml` says what may be; cargo-deny, which the workflow `ci` runs, reads the same file and knows advisories
//! too, but to compile it takes longer than all of these tests.
#![expect(clippy::disallowed_methods, reason = "runs cargo")]

use serde_json::Value;
use spdx::Expression;

use crate::layout::root;

/// The crates of others that `Cargo.lock` names.
fn crates() -> Vec<Value> {
    let mut cargo = tokio::process::Command::new(env!("CARGO"));
    nofx_tests::suite::forget_package(&mut cargo);
    let output = cargo.into_std().args(["metadata", "--locked", "--format-version", "1"]).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages: Vec<Value> = serde_json::from_value(metadata["packages"].take()).expect("packages");
    let crates: Vec<Value> = packages.into_iter().filter(|package| !package["source"].is_null()).collect();
    assert!(crates.len() > 100, "only {} crates", crates.len());
    crates
}

fn deny() -> Value {
    toml::from_str(&std::fs::read_to_string(root().join("deny.toml")).expect("text")).expect("TOML")
}

#[test]
fn every_crate_has_a_licence_that_is_allowed() {
    let deny = deny();
    let allowed: Vec<&str> = deny["licenses"]["allow"].as_array().expect("licences").iter().filter_map(Value::as_str).collect();
    for one in crates() {
        // Before SPDX's expressions a slash meant OR.
        let said = one["license"].as_str().unwrap_or_default().replace('/', " OR ");
        let is_allowed = Expression::parse(&said).is_ok_and(|one| one.evaluate(|asked| allowed.contains(&&*asked.to_string())));
        assert!(is_allowed, "{} {} has the licence `{said}`, which deny.toml does not allow", one["name"], one["version"]);
    }
}

#[test]
fn no_crate_is_banned_and_all_come_from_a_registry() {
    let deny = deny();
    let banned = deny["bans"]["deny"].as_array().expect("crates").iter();
    let banned: Vec<(&str, &str)> = banned.filter_map(|one| Some((one["crate"].as_str()?, one["reason"].as_str()?))).collect();
    assert!(!banned.is_empty());
    for one in crates() {
        let reason = banned.iter().find(|(name, _)| one["name"] == *name);
        assert!(reason.is_none(), "{} {} is banned: {}", one["name"], one["version"], reason.map_or("", |(_, reason)| reason));
        assert!(
            one["source"].as_str().is_some_and(|source| source.starts_with("registry+")),
            "{} comes from {}",
            one["name"],
            one["source"]
        );
    }
}

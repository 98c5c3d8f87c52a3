//! The list of mutants fits the code.
#![expect(clippy::disallowed_methods, reason = "runs the reader of the list")]

use std::process::Command;

use crate::layout::root;

#[test]
fn every_mutant_fits_the_code() {
    let checked = Command::new(root().join("scripts/mutate.sh")).arg("--check").output().expect("it runs");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

//! Temporary files of the product and of its unit tests: `tempfile` makes folders that no one else can enter, and removes them.

use crate::layout::{files, root};

#[test]
fn temporary_folders_are_made_by_tempfile() {
    // The workers' folder, which stays: its default is below the system's. And where repositories of a person's own may be.
    let named = ["shared/src/settings/worker.rs", "cli/src/commands/dev/worker.rs"].map(|file| root().join(file));
    let found: Vec<String> = files(&["api", "cli", "sandbox", "shared", "supabase/local", "worker"], &["rs"])
        .into_iter()
        .filter(|file| !named.contains(file) && std::fs::read_to_string(file).expect("text").contains("env::temp_dir"))
        .map(|file| file.display().to_string())
        .collect();
    assert!(found.is_empty(), "use `tempfile::tempdir()`:\n  {}", found.join("\n  "));
}

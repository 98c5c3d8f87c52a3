//! What the probe finds.

use nofx_sandbox::probe::probe;
use nofx_shared::drivers::Level;
use nofx_shared::settings::ToolFolder;

use crate::program::{LEVELS, Program, install};

#[test]
fn a_level_is_offered_if_a_program_ran_at_it() {
    let program = Program::new(Level::L1, &["true"]);
    let host = probe(&program.spec.exe, &[]);
    assert_eq!(host.levels.iter().map(|offer| offer.level).collect::<Vec<_>>(), LEVELS);
    for offer in &host.levels {
        let enforced = offer.enforced.as_ref().unwrap_or_else(|| panic!("{offer:?}"));
        assert_eq!((enforced.level, enforced.uid), (Some(offer.level), Some(20_000)));
    }
    for part in ["user pool", "seccomp", "Landlock", "bubblewrap", "user namespaces"] {
        assert!(host.parts.iter().any(|one| one.part == part && one.works), "{part}: {:?}", host.parts);
    }
    assert!(host.parts.iter().any(|one| one.part == "cgroup v2" && !one.detail.is_empty()), "{:?}", host.parts);
}

#[test]
fn a_program_in_a_closed_folder_has_the_levels_that_its_worker_has() {
    let program = Program::new(Level::L1, &["true"]);
    let home = tempfile::tempdir().expect("a folder of root's");
    let folder = home.path().join("bin");
    std::fs::create_dir(&folder).expect("a folder");
    install(&program.spec.exe, &folder.join("nofx"), "755");
    for offer in probe(&folder.join("nofx"), &[]).levels {
        assert!(offer.enforced.is_some(), "{offer:?}");
    }
}

#[test]
fn a_level_that_cannot_be_had_says_why() {
    let host = probe("/no/such/program".as_ref(), &[]);
    for offer in host.levels {
        assert!(offer.enforced.is_none(), "{offer:?}");
        assert!(offer.why_not.as_ref().is_some_and(|why| why.contains("No such file")), "{offer:?}");
    }
    for part in ["seccomp", "Landlock"] {
        assert!(host.parts.iter().any(|one| one.part == part && !one.works), "{part}: {:?}", host.parts);
    }
}

#[test]
fn toolchains_are_those_whose_folders_are_there() {
    let program = Program::new(Level::L1, &["true"]);
    let folder = |name: &str, path: &std::path::Path| ToolFolder {
        path: path.to_owned(),
        toolchain: Some(name.to_owned().try_into().expect("a name")),
    };
    let tools = program.tools().canonicalize().expect("a path");
    let host = probe(&program.spec.exe, &[folder("rust", &tools), folder("node", "/no/such/folder".as_ref())]);
    let found: Vec<_> = host.toolchains.iter().map(|found| (found.name.as_str(), found.folders.clone())).collect();
    assert_eq!(found, [("rust", vec![tools])]);
}

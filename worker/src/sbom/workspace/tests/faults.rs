//! Files that are hostile or broken.

use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::{bill, bill_of, faults, references, write};

/// Each is one fault that names its file, and nothing of the file is in the bill.
#[test]
fn a_file_that_is_not_what_its_name_says_is_a_fault() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    let npm = |packages: &str| format!(r#"{{"lockfileVersion": 3, "packages": {packages}}}"#);
    let cases: Vec<(&str, String)> = vec![
        ("Cargo.lock", "[[package]]\nname = \"a\"\n".to_owned()),
        ("Cargo.lock", "[[package]]\nname = \"a\"\nname = \"b\"\nversion = \"1\"\n".to_owned()),
        ("Cargo.lock", "[[package]]\nname = 5\nversion = \"1\"\n".to_owned()),
        ("Cargo.lock", "version = 99\n".to_owned()),
        ("Cargo.lock", "[[package]]\nname = \"\"\nversion = \"1\"\n".to_owned()),
        ("Cargo.lock", "[[package]]\nname = \"a\"\nversion = \"1\"\nchecksum = \"xyz\"\n".to_owned()),
        ("Cargo.lock", format!("x = {}", deep("[", "]"))),
        ("Cargo.lock", format!("[{}a]\n", "a.".repeat(1_000_000))),
        ("Cargo.lock", format!("{}a = 1\n", "a.".repeat(1_000_000))),
        ("package-lock.json", "{}".to_owned()),
        ("package-lock.json", "[]".to_owned()),
        ("package-lock.json", String::new()),
        ("package-lock.json", r#"{"lockfileVersion": 3}"#.to_owned()),
        ("package-lock.json", r#"{"lockfileVersion": 9, "packages": {}}"#.to_owned()),
        ("package-lock.json", npm("null")),
        ("package-lock.json", npm(r#"{"node_modules/a": {"version": 1}}"#)),
        ("package-lock.json", npm(r#"{"node_modules/a": {"version": "1"}, "node_modules/a": {"version": "2"}}"#)),
        ("package-lock.json", npm(r#"{"node_modules/a": {"version": "1", "license": 5}}"#)),
        ("package-lock.json", npm(r#"{"node_modules/a": {"version": "1", "integrity": "sha512-x"}}"#)),
        ("package-lock.json", npm(r#"{"node_modules/a": {"version": "1", "resolved": []}}"#)),
        ("package-lock.json", npm(&deep("[", "]"))),
        (
            "package-lock.json",
            format!(r#"{{"lockfileVersion": 1, "dependencies": {}}}"#, deep(r#"{"a":{"version":"1","dependencies":"#, "}}")),
        ),
        ("pnpm-lock.yaml", String::new()),
        ("pnpm-lock.yaml", "lockfileVersion: '99'\n".to_owned()),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  a@1: {}\n  a@1: {}\n".to_owned()),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages: [a]\n".to_owned()),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  a: {}\n".to_owned()),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\nx: &x {a: 1}\ny: *x\npackages: {}\n".to_owned()),
        ("pnpm-lock.yaml", format!("lockfileVersion: '9.0'\nx: {}\n", deep("[", "]"))),
        ("yarn.lock", "nothing\n".to_owned()),
        ("yarn.lock", "# yarn lockfile v1\n<<<<<<< ours\n".to_owned()),
        ("yarn.lock", "# yarn lockfile v1\na@1:\n  resolved \"x\"\n".to_owned()),
        ("yarn.lock", "# yarn lockfile v1\na@1:\n  version \"1\"\n  version \"2\"\n".to_owned()),
        ("yarn.lock", "# yarn lockfile v1\na@1:\n   version \"1\"\n".to_owned()),
        ("yarn.lock", "__metadata:\n  version: 8\n\"a@npm:1\":\n  version: 1.0.0\n".to_owned()),
        ("poetry.lock", "[[package]]\nname = \"a\"\nversion = \"1\"\n".to_owned()),
        ("poetry.lock", "[metadata]\nlock-version = \"9\"\n".to_owned()),
        ("uv.lock", "version = 2\n".to_owned()),
        ("uv.lock", "version = 1\n[[package]]\nname = \"a\"\nversion = \"1\"\n".to_owned()),
        ("pyproject.toml", "[project]\nname = \"a\"\ndependencies = \"b\"\n".to_owned()),
        ("pyproject.toml", "[project]\nname = \"a\"\ndependencies = [\"==1\"]\n".to_owned()),
        ("go.mod", "require (\n\ta v1\n".to_owned()),
        ("go.mod", "require a\n".to_owned()),
        ("go.mod", "replace a b\n".to_owned()),
        ("go.sum", "a v1\n".to_owned()),
        ("go.sum", "a v1 h1:xx\n".to_owned()),
        ("requirements.txt", "a==1 --hash=md99:00\n".to_owned()),
        ("requirements.txt", "-r https://h.example/r.txt\n".to_owned()),
        ("node_modules/a/package.json", r#"{"name": "a"}"#.to_owned()),
        ("node_modules/a/package.json", r#"{"name": "a", "name": "b", "version": "1"}"#.to_owned()),
        ("venv/lib/python3/site-packages/a.dist-info/METADATA", "Name: a\n".to_owned()),
        ("venv/lib/python3/site-packages/a.dist-info/METADATA", "Name: a\nName: b\nVersion: 1\n".to_owned()),
    ];
    for (file, text) in cases {
        let found = bill(&[(file, &text), ("venv/pyvenv.cfg", "")]);
        let shown: String = text.chars().take(200).collect();
        let faults = faults(&found);
        assert!(faults.len() == 1 && faults[0].starts_with(&format!("{file}: ")) && faults[0].len() < 1500, "{file} {shown}: {faults:?}");
        assert_eq!(references(&found), Vec::<&str>::new(), "{file} {shown}");
    }
}

#[test]
fn what_is_no_plain_file_of_the_workspace_is_a_fault() {
    let outer = tempfile::tempdir().expect("a folder");
    let dir = outer.path().join("in");
    write(
        outer.path(),
        &[
            ("outside/a/package.json", r#"{"name": "secret", "version": "1"}"#),
            ("in/node_modules/ok/package.json", r#"{"name": "ok", "version": "1"}"#),
        ],
    );
    mkfifo(&dir.join("go.sum"), Mode::S_IRWXU).expect("a fifo");
    symlink("/etc/passwd", dir.join("uv.lock")).expect("a link");
    symlink("nowhere", dir.join("poetry.lock")).expect("a link");
    symlink("../outside", dir.join(".venv")).expect("a link");
    symlink("../../outside/a", dir.join("node_modules/a")).expect("a link");
    symlink("loop", dir.join("node_modules/loop")).expect("a link");
    // 1 GiB without a block of it on the disk.
    std::fs::File::create(dir.join("Cargo.lock")).and_then(|file| file.set_len(1 << 30)).expect("a large file");
    std::fs::write(dir.join("yarn.lock"), [0xff, 0xfe, 0x00]).expect("written");
    let found = bill_of(&dir);
    assert_eq!(references(&found), ["pkg:npm/ok@1"]);
    let mut paths: Vec<&str> = faults(&found).iter().filter_map(|fault| fault.split(": ").next()).collect();
    paths.sort_unstable();
    assert_eq!(paths, [".venv/lib", "Cargo.lock", "go.sum", "node_modules/a", "node_modules/loop", "poetry.lock", "uv.lock", "yarn.lock"]);
}

#[test]
fn folders_of_packages_are_entered_to_a_limit() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = "node_modules/a/".repeat(40);
    write(dir.path(), &[(&format!("{path}package.json"), r#"{"name": "a", "version": "1"}"#)]);
    let found = bill_of(dir.path());
    assert!(faults(&found).len() == 1 && faults(&found)[0].contains("nested more than 32 times"), "{:?}", faults(&found));
    assert_eq!(references(&found), Vec::<&str>::new());
}

/// Each names one package too many, or has a list without end: nothing of it is in the bill, and the other files are.
#[test]
fn what_a_file_may_have_is_the_same_in_all_formats() {
    let lines = "a\n".repeat(200_001);
    let entries = |entry: &dyn Fn(usize) -> String, separator: &str| (0..200_001).map(entry).collect::<Vec<_>>().join(separator);
    let hash = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let more = "names more than 200000 packages";
    let npm = entries(&|n| format!("\"node_modules/{n}\":{{\"version\":\"1\"}}"), ",");
    let values = "has more than 1000000 lines and entries";
    for (file, text, reason) in [
        ("requirements.txt", lines, more),
        ("Cargo.lock", format!("package=[{}]\n", entries(&|n| format!("{{name=\"{n}\",version=\"1\"}}"), ",")), more),
        ("go.sum", entries(&|n| format!("a/{n} v1 {hash}"), "\n"), more),
        ("go.mod", entries(&|n| format!("require a/{n} v1"), "\n"), more),
        ("yarn.lock", format!("# yarn lockfile v1\n{}\n", entries(&|n| format!("{n}@1:\n  version \"1\""), "\n")), more),
        ("package-lock.json", format!("{{\"lockfileVersion\":3,\"packages\":{{{npm}}}}}"), more),
        ("pnpm-lock.yaml", format!("lockfileVersion: '9.0'\npackages:\n{}\n", entries(&|n| format!("  a{n}@1: {{}}"), "\n")), more),
        ("pyproject.toml", format!("[project]\nname=\"own\"\ndependencies=[{}]\n", entries(&|n| format!("\"a{n}\""), ",")), more),
        ("Cargo.lock", format!("x=[{}]\n", "[],".repeat(500_001)), values),
        ("package-lock.json", format!("[{}0]", "0,".repeat(1_000_001)), values),
        ("node_modules/a/package.json", format!("{{\"name\":\"a\",\"version\":\"1\",\"license\":[{}0]}}", "0,".repeat(1_000_001)), values),
        ("venv/lib/python3/site-packages/a.dist-info/METADATA", "a:\n".repeat(1_000_001), values),
    ] {
        let found = bill(&[
            (file, &text),
            ("venv/pyvenv.cfg", ""),
            ("uv.lock", "version = 1\n[[package]]\nname=\"other\"\nsource={virtual=\".\"}\n"),
        ]);
        let faults = faults(&found);
        assert!(faults.len() == 1 && faults[0].starts_with(&format!("{file}: ")) && faults[0].ends_with(reason), "{faults:?}");
        assert_eq!(references(&found), ["local:pypi/other"], "{file}");
    }
}

//! The tests of the SQL functions (supabase/tests, pgTAP), an area a test: each on a stack of its own without workers, each file a
//! transaction that is rolled back.
#![expect(clippy::disallowed_methods, reason = "runs psql and pg_prove, and finds pgTAP by the environment")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nofx_tests::own::Own;
use nofx_tests::stack::root;

fn run(program: &str, db_url: &str, schemas: &str, arguments: &[&std::ffi::OsStr]) -> Output {
    Command::new(program)
        .args(["--dbname", db_url])
        .args(arguments)
        .env("PGOPTIONS", format!("-c search_path={schemas} -c client_min_messages=warning"))
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; scripts/bootstrap-dev.sh --tests installs it"))
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn tests_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(tests_below(&path));
        } else if path.to_string_lossy().ends_with(".test.sql") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn prove(area: &str) {
    let stack = Own::start(&Own::folder(area), &["--workers", "0"]);
    let dev = stack.dev();
    let db_url = dev["db_url"].as_str().expect("a URL");
    let tests = root().join("supabase/tests");
    let pgtap = std::env::var("NOFX_TEST_PGTAP").expect("no pgTAP: run the tests with scripts/test.sh, it names it");

    let support = tests.join("support.sql");
    let loading = ["-Xq", "-v", "ON_ERROR_STOP=1", "-c", "create schema tap", "-f"].map(std::ffi::OsStr::new);
    let files = [pgtap.as_ref(), "-f".as_ref(), support.as_os_str()];
    let loaded = run("psql", db_url, "tap", &[&loading[..], &files[..]].concat());
    assert!(loaded.status.success(), "pgTAP cannot be loaded: {}", printed(&loaded));

    let files = tests_below(&tests.join(area));
    assert!(!files.is_empty(), "there are no tests below supabase/tests/{area}");
    let mut arguments: Vec<&std::ffi::OsStr> = ["--ext", ".sql"].map(std::ffi::OsStr::new).to_vec();
    arguments.extend(files.iter().map(|file| file.as_os_str()));
    let proved = run("pg_prove", db_url, "tap,nofx", &arguments);
    // A line a file: files that pass print nothing.
    let printed = printed(&proved);
    assert!(proved.status.success(), "{}", printed.lines().filter(|line| !line.ends_with(" ok")).collect::<Vec<_>>().join("\n"));
}

macro_rules! areas {
    ($($area:ident)*) => {
        const AREAS: &[&str] = &[$(stringify!($area)),*];
        $(
            #[test]
            fn $area() {
                prove(stringify!($area));
            }
        )*
    };
}

areas! { artifacts audit containment core db_write drivers engine gates guard hooks models retention }

#[test]
fn every_area_has_its_test() {
    let entries = std::fs::read_dir(root().join("supabase/tests")).expect("a folder").map(|entry| entry.expect("an entry"));
    let folders = entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().expect("text"));
    let folders: std::collections::BTreeSet<String> = folders.collect();
    assert_eq!(folders.into_iter().collect::<Vec<_>>(), AREAS, "name each folder of supabase/tests in `areas!`, in order");
}

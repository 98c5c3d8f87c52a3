use nofx_sandbox::Files;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::sbom::Bom;
use crate::sbom::reading::Reading;

mod faults;

/// The bill of a folder with these files.
fn bill(files: &[(&str, &str)]) -> Value {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), files);
    bill_of(dir.path())
}

fn write(dir: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }
}

fn bill_of(dir: &Path) -> Value {
    let mut bom = Bom::default();
    bom.add_workspace(&Reading::new(&Files::own(dir).expect("open"), &CancellationToken::new()));
    serde_json::from_str(&bom.document(Uuid::nil(), Uuid::nil()).text).expect("JSON")
}

fn components(bill: &Value) -> &Vec<Value> {
    bill["components"].as_array().expect("components")
}

fn references(bill: &Value) -> Vec<&str> {
    components(bill).iter().map(|one| one["bom-ref"].as_str().expect("a reference")).collect()
}

fn component<'a>(bill: &'a Value, reference: &str) -> &'a Value {
    components(bill).iter().find(|one| one["bom-ref"] == reference).unwrap_or_else(|| panic!("no {reference} in {:?}", references(bill)))
}

fn faults(bill: &Value) -> Vec<&str> {
    let properties = bill["metadata"]["properties"].as_array().expect("properties").iter();
    properties.filter(|one| one["name"] == "nofx:fault").map(|one| one["value"].as_str().expect("text")).collect()
}

/// 64 bytes of zeros.
const SHA512: &str = "sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";
const SHA256: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

#[test]
fn a_bill_lists_what_cargo_locks() {
    let bill = bill(&[(
        "Cargo.lock",
        &format!(
            "version = 4\r\n\r\n[[package]]\r\nname = \"own\"\r\nversion = \"0.1.0\"\r\n\r\n[[package]]\nversion = '1.0.0' # before its name\nname = \"a\"\nsource = \"registry+https://h.example/index\"\nchecksum = \"{}\"\n[[package]]\nname = \"g\"\nversion = \"2.0.0\"\nsource = \"git+https://me:hunter2@h.example/g.git?branch=x#abc\"\n",
            &SHA256[7..]
        ),
    )]);
    let git = "pkg:cargo/g@2.0.0?vcs_url=git%2Bhttps:%2F%2Fh.example%2Fg.git%40abc";
    assert_eq!((references(&bill), faults(&bill)), (vec!["pkg:cargo/a@1.0.0", git, "local:cargo/own@0.1.0"], vec![]));
    assert_eq!(component(&bill, "pkg:cargo/a@1.0.0")["hashes"], json!([{"alg": "SHA-256", "content": &SHA256[7..]}]));
    assert_eq!(component(&bill, "local:cargo/own@0.1.0").get("purl"), None, "no registry has it");
    assert!(!bill.to_string().contains("hunter2"));
}

#[test]
fn a_bill_lists_what_npm_locks_with_licences_and_aliases() {
    let lock = json!({"lockfileVersion": 3, "packages": {
        "": {"name": "own", "version": "1.0.0"},
        "packages/b": {"version": "1.0.0"},
        "node_modules/b": {"resolved": "packages/b", "link": true},
        "node_modules/@s/a": {"version": "1.0.0", "resolved": "https://h.example/@s/a/-/a-1.0.0.tgz", "integrity": SHA512, "license": "MIT"},
        "node_modules/@s/a/node_modules/alias": {"name": "real", "version": "2.0.0", "resolved": "https://h.example/real/-/real-2.0.0.tgz", "license": {"type": "ISC"}},
        "node_modules/g": {"version": "3.0.0", "resolved": "git+ssh://git@h.example/g.git#abc"},
    }});
    let found = bill(&[("package-lock.json", &format!("\u{feff}{lock}"))]);
    assert_eq!(
        (references(&found), faults(&found)),
        (
            vec![
                "pkg:npm/%40s/a@1.0.0",
                "local:npm/b@1.0.0",
                "pkg:npm/g@3.0.0?vcs_url=git%2Bssh:%2F%2Fh.example%2Fg.git%40abc",
                "local:npm/own@1.0.0",
                "pkg:npm/real@2.0.0"
            ],
            vec![]
        )
    );
    let a = component(&found, "pkg:npm/%40s/a@1.0.0");
    assert_eq!((&a["licenses"], &a["hashes"][0]["alg"], &a["name"]), (&json!([{"expression": "MIT"}]), &json!("SHA-512"), &json!("@s/a")));
    let old = json!({"lockfileVersion": 1, "dependencies": {"a": {"version": "1.0.0", "resolved": false, "dependencies": {"b": {"version": "npm:c@2.0.0"}, "f": {"version": "file:../f"}}}}});
    assert_eq!(references(&bill(&[("npm-shrinkwrap.json", &old.to_string())])), ["pkg:npm/a@1.0.0", "pkg:npm/c@2.0.0", "local:npm/f"]);
}

#[test]
fn a_bill_lists_what_pnpm_locks_in_all_its_versions() {
    let nine = format!(
        "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a: {{specifier: ^1, version: 1.0.0}}\npackages:\n  '@s/a@1.0.0':\n    resolution: {{integrity: {SHA512}}}\n    engines: {{node: '>=4'}}\n  g@https://h.example/g/tar.gz/abc:\n    resolution: {{tarball: https://h.example/g/tar.gz/abc}}\n    version: 2.0.0\n  f@file:f:\n    resolution: {{directory: f, type: directory}}\nsnapshots:\n  '@s/a@1.0.0(peer@1.0.0)': {{}}\n"
    );
    let bill9 = bill(&[("pnpm-lock.yaml", &nine)]);
    let url = "pkg:npm/g@2.0.0?download_url=https:%2F%2Fh.example%2Fg%2Ftar.gz%2Fabc";
    assert_eq!((references(&bill9), faults(&bill9)), (vec!["pkg:npm/%40s/a@1.0.0", "local:npm/f", url], vec![]));
    let six =
        "lockfileVersion: '6.0'\npackages:\n  /@s/a@1.0.0(peer@2.0.0):\n    resolution: {integrity: sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=}\n";
    assert_eq!(references(&bill(&[("pnpm-lock.yaml", six)])), ["pkg:npm/%40s/a@1.0.0"]);
    let five = "lockfileVersion: 5.4\npackages:\n  /@s/a/1.0.0_peer@2.0.0:\n    resolution: {}\n";
    assert_eq!(references(&bill(&[("pnpm-lock.yaml", five)])), ["pkg:npm/%40s/a@1.0.0"]);
    let two = "---\nlockfileVersion: '9.0'\npackages:\n  pnpm@11.0.0:\n    resolution: {}\n---\nlockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {}\n";
    assert_eq!(references(&bill(&[("pnpm-lock.yaml", two)])), ["pkg:npm/a@1.0.0", "pkg:npm/pnpm@11.0.0"]);
}

#[test]
fn a_bill_lists_what_both_yarns_lock() {
    let classic = format!(
        "# yarn lockfile v1\r\n\r\n\"@s/a@^1.0.0\", \"@s/a@^1.1\":\r\n  version \"1.1.0\"\r\n  resolved \"https://h.example/@s/a/-/a-1.1.0.tgz#abc\"\r\n  integrity {SHA512}\r\n  dependencies:\r\n    version \"^9\"\r\nalias@npm:real@^2, other@npm:real@^2:\n  version \"2.0.0\"\n  resolved \"https://h.example/real/-/real-2.0.0.tgz\"\n\"g@git+https://h.example/g.git\":\n  version \"3.0.0\"\n  resolved \"git+https://h.example/g.git#abc\"\n\"f@file:./f\":\n  version \"0.0.0\"\n"
    );
    let found = bill(&[("yarn.lock", &classic)]);
    let git = |commit: &str| format!("pkg:npm/g@3.0.0?vcs_url=git%2Bhttps:%2F%2Fh.example%2Fg.git%40{commit}");
    assert_eq!(
        (references(&found), faults(&found)),
        (vec!["pkg:npm/%40s/a@1.1.0", "local:npm/f@0.0.0", git("abc").as_str(), "pkg:npm/real@2.0.0"], vec![])
    );
    assert_eq!(component(&found, "pkg:npm/%40s/a@1.1.0")["hashes"][0]["alg"], "SHA-512");
    let berry = "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n\"@s/a@npm:^1.0.0, @s/a@npm:^1.1\":\n  version: 1.1.0\n  resolution: \"@s/a@npm:1.1.0\"\n  checksum: 10c0/00\n  languageName: node\n  linkType: hard\n\n\"x@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"x@workspace:.\"\n  languageName: unknown\n\n\"g@https://h.example/g.git\":\n  version: 3.0.0\n  resolution: \"g@https://h.example/g.git#commit=abc\"\n";
    let found = bill(&[("yarn.lock", berry)]);
    assert_eq!(
        (references(&found), faults(&found)),
        (vec!["pkg:npm/%40s/a@1.1.0", git("abc").as_str(), "local:npm/x@0.0.0-use.local"], vec![])
    );
}

#[test]
fn a_bill_lists_what_python_projects_declare_and_lock() {
    let project = "[project]\nname = \"My.Own\"\ndynamic = [\"version\"]\ndependencies = [\"Requests>=2\", \"exact==1.0; python_version>'3'\"]\n[project.optional-dependencies]\nx = [\"extra\"]\n[dependency-groups]\ndev = [\"pytest>8\", {include-group = \"x\"}]\nx = []\n[tool.ruff]\nline-length = 100\n";
    let uv = format!(
        "version = 1\nrevision = 3\n[[package]]\nname = \"requests\"\nversion = \"2.31.0\"\nsource = {{ registry = \"https://h.example/simple\" }}\nsdist = {{ url = \"https://h.example/r.tar.gz\", hash = \"{SHA256}\", size = 5 }}\nwheels = [{{ url = \"https://h.example/r.whl\", hash = \"{}\" }}]\n[[package]]\nname = \"my-own\"\nsource = {{ editable = \".\" }}\n[[package]]\nname = \"g\"\nversion = \"1.0\"\nsource = {{ git = \"https://h.example/g?rev=main#abc\" }}\n",
        SHA256.replace('0', "1")
    );
    let found = bill(&[("pyproject.toml", project), ("uv.lock", &uv)]);
    assert_eq!(
        (references(&found), faults(&found)),
        (
            vec![
                "pkg:pypi/exact@1.0",
                "pkg:pypi/extra",
                "pkg:pypi/g@1.0?vcs_url=git%2Bhttps:%2F%2Fh.example%2Fg%40abc",
                "local:pypi/my-own",
                "pkg:pypi/pytest",
                "pkg:pypi/requests@2.31.0"
            ],
            vec![]
        )
    );
    let requests = component(&found, "pkg:pypi/requests@2.31.0");
    assert_eq!(requests["hashes"].as_array().map(Vec::len), Some(2));
    assert_eq!(requests["evidence"]["occurrences"], json!([{"location": "pyproject.toml"}, {"location": "uv.lock"}]));
    assert_eq!(component(&found, "pkg:pypi/pytest")["properties"], json!([{"name": "nofx:requirement", "value": ">8"}]));

    let poetry = format!(
        "[[package]]\nname = \"a\"\nversion = \"1.0\"\nfiles = [{{file = \"a.whl\", hash = \"{SHA256}\"}}]\n[[package]]\nname = \"own\"\nversion = \"1\"\nfiles = []\n[package.source]\ntype = \"directory\"\nurl = \"own\"\n[metadata]\nlock-version = \"2.1\"\n"
    );
    let project = "[tool.poetry]\nname = \"p\"\nversion = \"1\"\n[tool.poetry.dependencies]\npython = \"^3.9\"\na = \"^1\"\nb = \"1.0\"\nc = {version = \"*\", optional = true}\nd = {path = \"d\"}\n[tool.poetry.group.dev.dependencies]\ne = [{version = \"1.0\"}, {version = \"2.0\"}]\n";
    let found = bill(&[("poetry.lock", &poetry), ("pyproject.toml", project)]);
    let all = [
        "pkg:pypi/a@1.0",
        "pkg:pypi/b@1.0",
        "pkg:pypi/c",
        "local:pypi/d",
        "pkg:pypi/e@1.0",
        "pkg:pypi/e@2.0",
        "local:pypi/own@1",
        "local:pypi/p@1",
    ];
    assert_eq!((references(&found), faults(&found)), (all.to_vec(), vec![]));
}

#[test]
fn a_bill_lists_what_requirements_files_name_and_include() {
    let found = bill(&[
        (
            "requirements.txt",
            &format!(
                "# all\r\n-r more/dev.txt\n--index-url https://h.example\nA==1.0 \\\n    --hash={SHA256}\nb>=2  # why\n-e .\n-e git+https://h.example/g.git@abc#egg=g\n./vendor/c\n"
            ),
        ),
        ("more/dev.txt", "-r ../requirements.txt\n-c constraints.txt\nd\n"),
    ]);
    let git = "pkg:pypi/g?vcs_url=git%2Bhttps:%2F%2Fh.example%2Fg.git%40abc";
    let all = ["local:pypi/.", "pkg:pypi/a@1.0", "pkg:pypi/b", "local:pypi/c", "pkg:pypi/d", git];
    assert_eq!(references(&found), all);
    assert_eq!(component(&found, "pkg:pypi/a@1.0")["hashes"][0]["content"], &SHA256[7..]);
    assert_eq!(faults(&found), Vec::<&str>::new());
    let absent = bill(&[("requirements.txt", "-r ../../etc/x.txt\n-r none.txt\n")]);
    assert_eq!(faults(&absent).len(), 2, "{:?}", faults(&absent));
}

#[test]
fn a_bill_lists_what_go_requires_and_replaces() {
    let module = "module h.example/own\n\ngo 1.22\n\nrequire (\n\th.example/A/b v1.0.0\n\th.example/c v2.0.0+incompatible // indirect\n)\nrequire h.example/d v1.0.0\nreplace h.example/c => h.example/fork v2.1.0\nreplace (\n\th.example/d v1.0.0 => ./d\n)\n";
    let sum = "h.example/A/b v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nh.example/A/b v1.0.0/go.mod h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nh.example/old v0.1.0/go.mod h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    let found = bill(&[("go.mod", module), ("go.sum", sum)]);
    let all = ["pkg:golang/h.example/a/b@v1.0.0", "local:golang/h.example/d@v1.0.0", "pkg:golang/h.example/fork@v2.1.0"];
    assert_eq!((references(&found), faults(&found)), (all.to_vec(), vec![]));
    assert_eq!(component(&found, all[0])["hashes"][0]["content"], &SHA256[7..]);
}

#[test]
fn a_bill_lists_what_is_installed_and_merges_it_with_the_lock() {
    let dir = tempfile::tempdir().expect("a folder");
    let lock = json!({"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1.0.0", "integrity": SHA512}}}).to_string();
    write(
        dir.path(),
        &[
            ("package-lock.json", &lock),
            ("node_modules/a/package.json", r#"{"name": "a", "version": "1.0.0", "license": "MIT"}"#),
            (
                "node_modules/a/node_modules/@s/b/package.json",
                r#"{"name": "@s/b", "version": "2.0.0", "licenses": [{"type": "X", "url": "u"}]}"#,
            ),
            ("node_modules/.pnpm/c@3.0.0/node_modules/c/package.json", r#"{"name": "c", "version": "3.0.0"}"#),
            ("node_modules/.bin/tool", "#!/bin/sh\n"),
            ("node_modules/empty/x", ""),
            ("own/package.json", r#"{"name": "own", "version": "1.0.0"}"#),
            (".venv/pyvenv.cfg", ""),
            (
                ".venv/lib/python3.12/site-packages/Zope.Interface-6.0.dist-info/METADATA",
                "Metadata-Version: 2.1\nName: Zope.Interface\nVersion: 6.0\nLicense: long\n text\nClassifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: Zope Public License\n\nName: not this\n",
            ),
            (".venv/lib/python3.12/site-packages/own-1.0.dist-info/METADATA", "Name: own\nVersion: 1.0\nLicense-Expression: MIT\n"),
            (
                ".venv/lib/python3.12/site-packages/own-1.0.dist-info/direct_url.json",
                r#"{"url": "file:///x", "dir_info": {"editable": true}}"#,
            ),
        ],
    );
    symlink(".pnpm/c@3.0.0/node_modules/c", dir.path().join("node_modules/c")).expect("a link");
    symlink("../own", dir.path().join("node_modules/own")).expect("a link");
    let found = bill_of(dir.path());
    let all = ["pkg:npm/%40s/b@2.0.0", "pkg:npm/a@1.0.0", "pkg:npm/c@3.0.0", "local:pypi/own@1.0", "pkg:pypi/zope-interface@6.0"];
    assert_eq!((references(&found), faults(&found)), (all.to_vec(), vec![]));
    let a = component(&found, "pkg:npm/a@1.0.0");
    assert_eq!((a["hashes"].as_array().map(Vec::len), &a["licenses"]), (Some(1), &json!([{"expression": "MIT"}])));
    assert_eq!(a["evidence"]["occurrences"], json!([{"location": "node_modules/a/package.json"}, {"location": "package-lock.json"}]));
    assert_eq!(component(&found, all[4])["licenses"], json!([{"license": {"name": "Zope Public License"}}]));
}

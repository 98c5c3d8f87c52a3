use nofx_tests::repository::Repository;
use nofx_tests::{Tenant, cyclonedx};
use serde_json::{Value, json};

const SHA512: &str = "sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";
const SHA256: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A package of each ecosystem, with all that a bill can say of it, and two files that are not what they should be.
fn repository() -> Repository {
    let npm = json!({"lockfileVersion": 3, "packages": {
        "": {"name": "own", "version": "1.0.0"},
        "node_modules/@s/a": {"version": "1.0.0", "resolved": "https://h.example/@s/a/-/a-1.0.0.tgz", "integrity": SHA512, "license": "MIT OR ISC"},
        "node_modules/g": {"version": "2.0.0", "resolved": "git+ssh://git@h.example/g.git#abc", "license": "see LICENSE"},
    }});
    Repository::new(&[
        (
            "Cargo.lock",
            &format!(
                "version = 4\n[[package]]\nname = \"c\"\nversion = \"1.0.0\"\nsource = \"registry+https://h.example\"\nchecksum = \"{SHA256}\"\n"
            ),
        ),
        ("go.mod", "module h.example/own\nrequire h.example/m v1.0.0\n"),
        ("go.sum", "h.example/m v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"),
        ("package-lock.json", &npm.to_string()),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  p@1.0.0:\n    resolution: {}\n"),
        ("pyproject.toml", "[project]\nname = \"own\"\nversion = \"1\"\ndependencies = [\"r>=2\", \"declared>1\"]\n"),
        (
            "uv.lock",
            &format!(
                "version = 1\n[[package]]\nname = \"r\"\nversion = \"2.0\"\nsource = {{ registry = \"https://h.example/simple\" }}\nwheels = [{{ hash = \"sha256:{SHA256}\" }}]\n"
            ),
        ),
        ("node_modules/@s/a/package.json", r#"{"name": "@s/a", "version": "1.0.0", "license": "MIT OR ISC"}"#),
        ("yarn.lock", "# yarn lockfile v1\n<<<<<<< ours\n"),
        ("poetry.lock", "[metadata]\nlock-version = \"99\"\n"),
    ])
}

#[tokio::test]
async fn a_bill_of_materials_is_valid_and_says_what_it_could_not_read() {
    let person = Tenant::new().await.contributor();
    let repository = repository();
    let run = person
        .run(json!({"goal": "bill", "workspace": repository.workspace("main"), "steps": [{"name": "gate", "tool": "gate:secrets"}]}))
        .await;
    let text = person.kept(&run, "gate", "sbom.cdx.json").await;
    cyclonedx::check(&text);
    let bill: Value = serde_json::from_str(&text).expect("JSON");
    let references: Vec<&str> =
        bill["components"].as_array().expect("components").iter().filter_map(|one| one["bom-ref"].as_str()).collect();
    assert_eq!(
        references,
        [
            "pkg:cargo/c@1.0.0",
            "pkg:golang/h.example/m@v1.0.0",
            "pkg:npm/%40s/a@1.0.0",
            "pkg:npm/g@2.0.0?vcs_url=git%2Bssh:%2F%2Fh.example%2Fg.git%40abc",
            "local:npm/own@1.0.0",
            "pkg:npm/p@1.0.0",
            "pkg:pypi/declared",
            "local:pypi/own@1",
            "pkg:pypi/r@2.0"
        ]
    );
    let faults = json!(["poetry.lock: has the unknown version 99", "yarn.lock: line 2 is not `range:`"]);
    let step = nofx_tests::people::step(&run, "gate");
    assert_eq!((run["status"].as_str(), &step["outputs"]["sbom_faults"]), (Some("succeeded"), &faults), "{run}");
    let listed: Vec<&Value> =
        bill["metadata"]["properties"].as_array().expect("properties").iter().filter(|one| one["name"] == "nofx:fault").collect();
    assert_eq!(json!(listed.iter().map(|one| &one["value"]).collect::<Vec<_>>()), faults);
}

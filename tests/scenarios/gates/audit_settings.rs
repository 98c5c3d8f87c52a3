//! Repositories whose own settings say that there is nothing to find. The programs are as gullible as the tools that they stand for.

use std::time::Duration;

use nofx_tests::Tenant;
use nofx_tests::receiver::Receiver;
use nofx_tests::repository::{Repository, path_with_tools};
use serde_json::{Value, json};

use super::audit::{audit, commit, found};

const NPM: (&str, &str) = (
    r#"{"auditReportVersion": 2, "vulnerabilities": {}, "metadata": {"vulnerabilities": {}}}"#,
    r#"{"auditReportVersion": 2, "metadata": {"vulnerabilities": {"high": 1}}, "vulnerabilities": {"a": {"severity": "high", "via": [{"title": "bad", "severity": "high", "range": "<2", "url": "https://x/GHSA-1"}]}}}"#,
);
const PNPM: (&str, &str) = (
    r#"{"advisories": {}, "metadata": {"vulnerabilities": {"high": 0}}}"#,
    r#"{"advisories": {"1": {"module_name": "a", "title": "bad", "severity": "high", "github_advisory_id": "GHSA-1"}}, "metadata": {"vulnerabilities": {"high": 1}}}"#,
);
const YARN_1: (&str, &str) = (
    r#"{"type": "auditSummary", "data": {"vulnerabilities": {"high": 0}}}"#,
    r#"{"type": "auditAdvisory", "data": {"advisory": {"module_name": "a", "title": "bad", "severity": "high", "github_advisory_id": "GHSA-1"}}} {"type": "auditSummary", "data": {"vulnerabilities": {"high": 1}}}"#,
);
const YARN_4: (&str, &str) = (
    r#"{"type": "info", "data": "No audit suggestions"}"#,
    r#"{"value": "a", "children": {"ID": 1, "Issue": "bad", "URL": "https://x/GHSA-1", "Severity": "high"}}"#,
);
const CARGO: (&str, &str) = (
    r#"{"database": {"advisory-count": 9}, "vulnerabilities": {"list": []}}"#,
    r#"{"database": {"advisory-count": 9}, "vulnerabilities": {"list": [{"package": {"name": "a", "version": "1"}, "advisory": {"id": "GHSA-1", "title": "bad"}}]}}"#,
);
const PIP: (&str, &str) = (
    r#"{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}"#,
    r#"{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "GHSA-1", "description": "bad"}]}]}"#,
);
const UV: (&str, &str) = (
    r#"{"summary": {"audited_packages": 1, "vulnerabilities": 0}, "adverse_statuses": [], "vulnerabilities": []}"#,
    r#"{"summary": {"audited_packages": 1, "vulnerabilities": 1}, "adverse_statuses": [], "vulnerabilities": [{"dependency": {"name": "a", "version": "1"}, "id": "GHSA-1"}]}"#,
);
const GO: (&str, &str) = (
    r#"{"config": {"protocol_version": "v1.0.0", "scan_level": "symbol"}}"#,
    r#"{"config": {"protocol_version": "v1.0.0", "scan_level": "symbol"}} {"finding": {"osv": "GHSA-1", "trace": [{"module": "a", "package": "a", "function": "F"}]}}"#,
);

const CLASSIC: &str = "# yarn lockfile v1\na@1:\n  version \"1.0.0\"\n";
const BERRY: &str = "__metadata:\n  version: 8\n\"a@npm:1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n";
const UV_LOCK: &str = "version = 1\n[[package]]\nname = \"own\"\nsource = { virtual = \".\" }\n";

/// A program that has a version and then reports nothing if a condition of sh holds, or else a vulnerability.
fn gullible(condition: &str, (nothing, vulnerable): (&str, &str), exit_code: u8) -> String {
    format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo 10.1.0 && exit 0\nif {condition}; then echo '{nothing}'; exit 0; fi\necho '{vulnerable}'\nexit {exit_code}\n"
    )
}

#[tokio::test]
async fn the_settings_of_a_repository_hide_nothing() {
    let person = Tenant::new().await.contributor();
    let mut hidden = vec![];
    for (lock, text, settings, content, program, condition, reports, code) in [
        ("package-lock.json", "{}", ".npmrc", "registry=https://h.example\nomit=dev\n", "npm", "[ -e .npmrc ]", NPM, 1),
        ("npm-shrinkwrap.json", "{}", "package.json", "{\"name\": \"own\"}", "npm", "grep -q own package.json", NPM, 1),
        ("pnpm-lock.yaml", "x: 1", ".pnpmfile.cjs", "process.exit(0)", "pnpm", "[ -e .pnpmfile.cjs ]", PNPM, 1),
        ("pnpm-lock.yaml", "x: 1", ".npmrc", "audit-level=critical", "pnpm", "[ -e .npmrc ]", PNPM, 1),
        (
            "pnpm-lock.yaml",
            "x: 1",
            "package.json",
            "{\"pnpm\": {\"auditConfig\": {\"ignoreCves\": [\"CVE-1\"]}}}",
            "pnpm",
            "grep -q auditConfig package.json",
            PNPM,
            1,
        ),
        (
            "pnpm-lock.yaml",
            "x: 1",
            "pnpm-workspace.yaml",
            "auditConfig: {ignoreGhsas: [GHSA-1]}",
            "pnpm",
            "grep -q auditConfig pnpm-workspace.yaml",
            PNPM,
            1,
        ),
        ("yarn.lock", CLASSIC, ".yarnrc", "--audit.level critical", "yarn", "[ -e .yarnrc ]", YARN_1, 8),
        ("yarn.lock", CLASSIC, "package.json", "{\"dependencies\": {}}", "yarn", "! grep -q '\"a\":\"1.0.0\"' w/0/package.json", YARN_1, 8),
        (
            "yarn.lock",
            BERRY,
            ".yarnrc.yml",
            "npmAuditIgnoreAdvisories: ['*']",
            "yarn",
            "[ -e \"${YARN_RC_FILENAME:-.yarnrc.yml}\" ]",
            YARN_4,
            1,
        ),
        ("yarn.lock", BERRY, "package.json", "{\"workspaces\": []}", "yarn", "! grep -q '\"a\":\"npm:1.0.0\"' w/0/package.json", YARN_4, 1),
        (
            "Cargo.lock",
            "version = 4",
            ".cargo/audit.toml",
            "[advisories]\nignore = [\"GHSA-1\"]",
            "cargo-audit",
            "[ -e .cargo/audit.toml ]",
            CARGO,
            1,
        ),
        (
            "requirements.txt",
            "--index-url https://h.example\na==1",
            "pip.conf",
            "x",
            "pip-audit",
            "grep -q h.example requirements.txt",
            PIP,
            1,
        ),
        ("requirements.txt", "-r more.txt\n--no-deps", "more.txt", "a==1\n", "pip-audit", "! grep -q '^a==1$' requirements.txt", PIP, 1),
        ("requirements.txt", "a==1", "pip/__main__.py", "print('[]')", "pip-audit", "[ -e pip ]", PIP, 1),
        (
            "uv.lock",
            UV_LOCK,
            "pyproject.toml",
            "[project]\nname = \"own\"\nversion = \"1\"\n[tool.uv.audit]\nignore = [\"GHSA-1\"]",
            "uv",
            "grep -q tool.uv.audit pyproject.toml",
            UV,
            1,
        ),
        ("uv.lock", UV_LOCK, "uv.toml", "x = 1", "uv", "[ -e uv.toml ] && [ -z \"$UV_NO_CONFIG\" ]", UV, 1),
        ("go.mod", "module m", "go.work", "use ./other", "govulncheck", "[ -e go.work ] && [ \"$GOWORK\" != off ]", GO, 0),
        (
            "go.mod",
            "module m",
            "vendor/modules.txt",
            "# a v1\n",
            "govulncheck",
            "[ -e vendor ] && case \"$GOFLAGS\" in -mod=readonly*) false;; esac",
            GO,
            0,
        ),
    ] {
        let repository = Repository::new(&[]);
        let bin = format!("bin/{program}");
        commit(&repository, &[(lock, text), (settings, content), (bin.as_str(), &gullible(condition, reports, code))]);
        if program == "cargo-audit" {
            // As cargo finds its subcommands.
            commit(&repository, &[("bin/cargo", "#!/bin/sh\nsub=$1; shift; exec \"cargo-$sub\" \"$@\"\n")]);
        }
        let (evidence, _) = audit(&person, &repository, json!({})).await;
        if (evidence["verdict"].as_str(), found(&evidence)) != (Some("fail"), vec![format!("{lock} GHSA-1")]) {
            hidden.push(format!("{settings} for {program} and {lock}: {evidence}"));
        }
    }
    assert!(hidden.is_empty(), "{hidden:#?}");
}

#[tokio::test]
async fn no_program_that_a_repository_names_is_run() {
    let person = Tenant::new().await.contributor();
    let mut hidden = vec![];
    // Each says that there is nothing.
    let own = |report: &str| format!("#!/bin/sh\n[ \"$1\" = --version ] && echo 10.1.0 && exit 0\necho '{report}'\n");
    // Yarn runs another yarn if the settings name one, unless YARN_IGNORE_PATH is set; cargo runs what an alias names.
    let yarn = |(_, vulnerable): (&str, &str), code: u8| {
        format!(
            "#!/bin/sh\nif [ -e own/yarn ] && [ -z \"$YARN_IGNORE_PATH\" ]; then exec own/yarn \"$@\"; fi\n{}",
            gullible("false", ("", vulnerable), code).trim_start_matches("#!/bin/sh\n")
        )
    };
    for (lock, text, settings, content, program, gullible, reports) in [
        ("yarn.lock", BERRY, ".yarnrc.yml", "yarnPath: own/yarn", "yarn", yarn(YARN_4, 1), YARN_4),
        ("yarn.lock", CLASSIC, ".yarnrc", "yarn-path \"own/yarn\"", "yarn", yarn(YARN_1, 8), YARN_1),
        (
            "Cargo.lock",
            "version = 4",
            ".cargo/config.toml",
            "[alias]\naudit = \"run --manifest-path own/Cargo.toml\"",
            "cargo",
            "#!/bin/sh\nif [ -e .cargo/config.toml ]; then shift; exec own/cargo \"$@\"; fi\n".to_owned(),
            CARGO,
        ),
    ] {
        let repository = Repository::new(&[]);
        let (bin, own_program) = (format!("bin/{program}"), format!("own/{program}"));
        commit(&repository, &[(lock, text), (settings, content), (bin.as_str(), &gullible)]);
        commit(&repository, &[("bin/cargo-audit", &self::gullible("false", CARGO, 1)), (own_program.as_str(), &own(reports.0))]);
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(repository.dir.join(&own_program), executable).expect("executable");
        repository.commit(&[]);
        let (evidence, _) = audit(&person, &repository, json!({})).await;
        if (evidence["verdict"].as_str(), found(&evidence)) != (Some("fail"), vec![format!("{lock} GHSA-1")]) {
            hidden.push(format!("{settings}: {evidence}"));
        }
    }
    assert!(hidden.is_empty(), "{hidden:#?}");
}

#[tokio::test]
async fn npm_itself_audits_what_the_repository_leaves_out() {
    let person = Tenant::new().await.contributor();
    let registry = Receiver::at(4873).await;
    let advisory = json!([{"id": 1, "url": "https://x/GHSA-1", "title": "bad", "severity": "high", "vulnerable_versions": "<2.0.0"}]);
    // It asks about all packages first, and then which versions of the vulnerable one there are.
    registry.answer(200, &json!({"left": advisory}).to_string());
    let versions = json!({"name": "left", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": {"name": "left", "version": "1.0.0"}}});
    registry.always(200, &versions.to_string(), Duration::ZERO);
    let lock = json!({"name": "own", "version": "1.0.0", "lockfileVersion": 3, "packages": {
        "": {"name": "own", "version": "1.0.0", "devDependencies": {"left": "1.0.0"}},
        "node_modules/left": {"version": "1.0.0", "dev": true, "resolved": "https://h.example/left/-/left-1.0.0.tgz"}}});
    let repository = Repository::new(&[
        ("package.json", "{\"name\": \"own\", \"version\": \"1.0.0\", \"devDependencies\": {\"left\": \"1.0.0\"}}"),
        ("package-lock.json", &lock.to_string()),
        (".npmrc", "omit=dev\naudit-level=critical\n"),
    ]);
    let env = json!({"PATH": path_with_tools(), "npm_config_registry": registry.url, "npm_config_update_notifier": "false"});
    let run = person
        .run(json!({"goal": "audit", "workspace": repository.workspace("main"), "steps": [
            {"name": "gate", "tool": "gate:audit", "env": env}]}))
        .await;
    let evidence: Value = person.evidence(&run, "gate").await;
    assert_eq!((evidence["verdict"].as_str(), found(&evidence)), (Some("fail"), vec!["package-lock.json GHSA-1".to_owned()]), "{evidence}");
}

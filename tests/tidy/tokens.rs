//! The published design tokens are valid, and the pages use them and no others.
#![expect(clippy::disallowed_methods, reason = "runs the checker of design tokens, and a flag accepts its style sheet")]

use std::path::Path;
use std::process::{Command, Output};

use nofx_tests::stack::root;

/// Runs Terrazzo in the folder of the tokens; it writes into the given folder.
fn terrazzo(arguments: &[&str], out: &Path) -> Output {
    Command::new("node")
        .arg(root().join("node_modules/@terrazzo/cli/bin/cli.js"))
        .args(arguments)
        .args(["--config", "terrazzo.config.mjs"])
        .current_dir(root().join("config/tokens"))
        .env("NOFX_TOKENS_FOLDER", out)
        .output()
        .expect("node runs")
}

fn text_of(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_tokens_are_in_the_form_that_they_name() {
    let out = tempfile::tempdir().expect("a folder");
    let checked = terrazzo(&["check"], out.path());
    assert!(checked.status.success(), "config/tokens/tokens.json: {}", text_of(&checked));
    // The form of 2023, as a proof that the checker looks at values.
    let old = out.path().join("old.json");
    let text = r##"{"color": {"$type": "color", "bg": {"$value": "#ffffff"}}, "space": {"$type": "dimension", "$value": "4px"}}"##;
    std::fs::write(&old, text).expect("written");
    let refused = terrazzo(&["check", old.to_str().expect("text")], out.path());
    let said = text_of(&refused);
    assert!(!refused.status.success() && said.contains("valid-color") && said.contains("valid-dimension"), "{said}");
}

#[test]
fn the_style_sheet_is_made_of_the_tokens() {
    let out = tempfile::tempdir().expect("a folder");
    let built = terrazzo(&["build"], out.path());
    assert!(built.status.success(), "{}", text_of(&built));
    let made = std::fs::read_to_string(out.path().join("tokens.css")).expect("the sheet");
    let path = root().join("public/tokens.css");
    if std::env::var_os("NOFX_UPDATE").is_some() {
        std::fs::write(&path, &made).expect("written");
    }
    let published = std::fs::read_to_string(&path).expect("the sheet");
    assert!(published == made, "public/tokens.css is not what config/tokens makes: run the tests with NOFX_UPDATE=1");
    let (light, dark) = published.split_once("@media (prefers-color-scheme: dark)").expect("a dark part");
    for name in names(dark) {
        assert!(names(light).contains(&name), "--{name} is in the dark group alone");
    }
    let used = std::fs::read_to_string(root().join("public/app.css")).expect("the sheet");
    for part in used.split("var(--").skip(1) {
        let name = part.split(')').next().expect("a name");
        assert!(names(light).contains(&name), "public/app.css uses --{name}, which is no token");
    }
}

/// The custom properties that a style sheet sets.
fn names(sheet: &str) -> Vec<&str> {
    sheet.lines().filter_map(|line| line.trim().strip_prefix("--")?.split(':').next()).collect()
}

#[test]
fn the_one_module_of_the_pages_is_small() {
    let bytes = std::fs::metadata(root().join("public/app.js")).expect("the module").len();
    assert!(bytes < 15 << 10, "public/app.js has {bytes} bytes: what a page needs is drawn by the server");
}

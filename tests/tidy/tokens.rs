//! The published design tokens are those that the pages use.

use nofx_tests::stack::root;
use serde_json::Value;

#[test]
fn the_style_sheet_has_the_tokens_that_are_published() {
    let text = std::fs::read_to_string(root().join("config/tokens/tokens.json")).expect("the tokens");
    let tokens: Value = serde_json::from_str(&text).expect("JSON");
    let sheet = std::fs::read_to_string(root().join("public/tokens.css")).expect("the sheet");
    let (light, dark) = sheet.split_once("@media (prefers-color-scheme: dark)").expect("a dark part");
    for (name, group, part) in
        [("light", &tokens["color"]["light"], light), ("dark", &tokens["color"]["dark"], dark), ("dimension", &tokens["dimension"], light)]
    {
        for (token, value) in group.as_object().expect("tokens") {
            let line = format!("--{token}: {};", value["$value"].as_str().expect("a value"));
            assert!(part.contains(&line), "public/tokens.css: {name} needs `{line}`, as config/tokens/tokens.json says");
        }
    }
    let used = std::fs::read_to_string(root().join("public/app.css")).expect("the sheet");
    for part in used.split("var(--").skip(1) {
        let name = part.split(')').next().expect("a name");
        assert!(light.contains(&format!("--{name}:")), "public/app.css uses --{name}, which is no token");
    }
}

#[test]
fn the_one_module_of_the_pages_is_small() {
    let bytes = std::fs::metadata(root().join("public/app.js")).expect("the module").len();
    assert!(bytes < 15 << 10, "public/app.js has {bytes} bytes: what a page needs is drawn by the server");
}

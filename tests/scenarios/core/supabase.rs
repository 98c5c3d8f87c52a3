#![expect(clippy::disallowed_methods, reason = "starts node with Supabase's own client")]

use std::process::Command;

use nofx_tests::stack::{STACK, root};

#[test]
fn supabase_js_works_against_the_embedded_stack() {
    let output = Command::new("node")
        .arg(root().join("tests/scenarios/core/supabase.mjs"))
        .current_dir(root())
        .env("SUPABASE_URL", STACK.get("supabase_url"))
        .env("ANON_KEY", STACK.get("anon_key"))
        .env("SERVICE_KEY", STACK.get("service_role_key"))
        .env("PEOPLE", STACK.json("people").to_string())
        .output()
        .expect("node starts");
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

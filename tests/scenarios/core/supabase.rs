#![expect(clippy::disallowed_methods, reason = "starts node with Supabase's own client")]

use std::process::Command;

use nofx_tests::stack::{STACK, root};

fn passes(script: &str) {
    let output = Command::new("node")
        .arg(root().join("tests/scenarios/core").join(script))
        .current_dir(root())
        .env("SUPABASE_URL", STACK.get("supabase_url"))
        .env("API_URL", STACK.get("api_url"))
        .env("ANON_KEY", STACK.get("anon_key"))
        .env("SERVICE_KEY", STACK.get("service_role_key"))
        .env("CONTRIBUTOR", STACK.json("tokens")["contributor"].as_str().expect("a token"))
        .env("PEOPLE", STACK.json("people").to_string())
        .output()
        .expect("node starts");
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

#[test]
fn supabase_js_works_against_the_embedded_stack() {
    passes("supabase.mjs");
}

#[test]
fn supabase_js_hears_events_by_realtime() {
    passes("realtime.mjs");
}

#[test]
fn the_set_up_checks_whether_a_supabase_project_can_be_reached() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |url: &str| {
        let file = folder.path().join(".env");
        let (anon, service) = (STACK.get("anon_key"), STACK.get("service_role_key"));
        std::fs::write(&file, format!("SUPABASE_URL={url}\nSUPABASE_ANON_KEY={anon}\nSUPABASE_SERVICE_ROLE_KEY={service}\n"))
            .expect("written");
        let output = Command::new("node").arg(root().join("scripts/check-supabase.mjs")).arg(&file).output().expect("node starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, printed) = check(STACK.get("supabase_url"));
    assert_eq!((code, printed.as_str()), (Some(0), "ok    rest\nok    storage\nok    auth\nok    realtime\nok    clock\n"));
    let (code, printed) = check("http://127.0.0.1:9");
    let failed: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("FAIL  ")?.split(':').next()).collect();
    assert_eq!((code, failed), (Some(1), vec!["rest", "storage", "auth", "realtime", "clock"]), "{printed}");
}

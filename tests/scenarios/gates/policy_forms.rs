//! Policies as people see and set them: the page, and `nofx policy`.

use nofx_tests::Tenant;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn the_page_of_policies_shows_and_sets_what_is_asked() {
    let tenant = Tenant::new().await;
    let (admin, viewer) = (tenant.admin(), tenant.viewer());
    let page = async || viewer.browse(Method::GET, "/ui/policies").send().await.expect("an answer").text().await.expect("text");
    let shown = page().await;
    assert!(shown.contains("git:push") && shown.contains("gate:coverage") && !shown.contains("Set policy"), "{shown}");
    let requires = r#"["gate:lint", {"gate": "gate:unit", "command": "make <test>", "min_tests": 7}]"#;
    let fields = [("tool", "bash"), ("requires", requires), ("approval", r#"{"count": 2}"#)];
    assert_eq!(admin.send_form("/ui/policies", "/ui/approvals/policies", &fields).await, "+Policy set.");
    let shown = page().await;
    assert!(shown.contains("make &lt;test&gt;") && shown.contains("min_tests=7"), "{shown}");
    for (field, wrong) in [("requires", "gate:unit"), ("requires", r#"["unit"]"#), ("approval", "2")] {
        let refused = admin.send_form("/ui/policies", "/ui/approvals/policies", &[("tool", "http"), (field, wrong)]).await;
        assert!(refused.starts_with('-'), "{field} {wrong}: {refused}");
    }
    assert!(!page().await.contains("<code>http</code>"), "nothing was set");
}

#[tokio::test]
async fn the_cli_lists_sets_and_deletes_policies() {
    let tenant = Tenant::new().await;
    let admin = tenant.admin();
    let asks = r#"{"gate": "gate:coverage", "threshold": 80}"#;
    let set = admin.nofx(&["policy", "set", "bash", "--require", "gate:lint", "--require", asks, "--approvals", "2", "--keys-may-approve"]);
    assert!(set.code == Some(0) && set.out.contains("2 approvals by supervisor, keys too") && set.out.contains("threshold=80"), "{set:?}");
    let listed = admin.nofx(&["policy"]);
    assert!(listed.out.contains("  gate:coverage threshold=80") && listed.out.contains("git:push"), "{listed:?}");
    let all = admin.nofx(&["--json", "policy"]).json();
    let ours = all["data"].as_array().expect("policies").iter().find(|one| one["tool"] == "bash").expect("it is there");
    assert_eq!(ours["approval"], json!({"count": 2, "keys_may_approve": true}));
    let id = ours["id"].as_str().expect("an id");
    assert_eq!(admin.nofx(&["policy", "delete", id]).code, Some(0));
    assert!(!admin.nofx(&["policy"]).out.contains("threshold=80"));
    assert_eq!(admin.nofx(&["policy", "set", "bash", "--require", "unit"]).code, Some(2));
    assert_eq!(tenant.supervisor().nofx(&["policy", "set", "bash"]).code, Some(2));
}

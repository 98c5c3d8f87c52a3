//! What expressions may take of what everybody shares: those that would take all of it are refused, or stopped, and others go on.

use std::time::Duration;

use nofx_tests::plans::plan;
use nofx_tests::receiver::Receiver;
use nofx_tests::{Tenant, people};
use serde_json::{Value, json};

/// Macros inside of each other, each over a list of so many.
fn nested(depth: usize, items: usize) -> String {
    let list = vec!["1"; items].join(",");
    (0..depth).fold("true".to_owned(), |inner, at| format!("[{list}].all(x{at}, {inner})"))
}

#[tokio::test]
async fn macros_inside_of_each_other_are_refused_wherever_they_stand() {
    let tenant = Tenant::new().await;
    let bomb = nested(12, 8);
    let step = json!({"name": "a", "tool": "noop", "if": bomb, "for_each": format!("[{bomb}]"), "inputs": {"list": [format!("is ${{{{ {bomb} }}}}")]},
        "env": {"IS": format!("${{{{ !{bomb} }}}}")}});
    let (code, problem) = tenant.contributor().post("/api/runs", json!({"plan": plan(vec![step])})).await;
    assert_eq!((code.as_u16(), problem["type"].as_str()), (422, Some("https://nofx.dev/problems/invalid-plan")), "{problem}");
    let errors = problem["errors"].as_array().expect("errors");
    let mut pointers: Vec<_> = errors.iter().filter_map(|error| error["pointer"].as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/steps/0/env/IS", "/steps/0/for_each", "/steps/0/if", "/steps/0/inputs/list/0"]);
    let says = |error: &Value| error["detail"].as_str().is_some_and(|detail| detail.contains("the limit is 4: split"));
    assert!(errors.iter().all(says), "{problem}");

    let hook = json!({"name": "h", "phase": "pre", "filter": bomb, "target": {"kind": "webhook", "url": "https://example.com/"}});
    let (code, problem) = tenant.admin().post("/api/hooks", hook).await;
    assert_eq!((code.as_u16(), &problem["errors"][0]["pointer"]), (422, &json!("/filter")), "{problem}");
}

#[tokio::test]
async fn expressions_that_never_end_fail_their_steps_and_no_one_elses() {
    let (hostile, other) = (Tenant::new().await.contributor(), Tenant::new().await.contributor());
    let endless = nested(4, 100);
    let doubling = format!("['x']{}", ".map(a, a+a+a+a+a+a+a+a)".repeat(16));
    let steps = vec![
        json!({"name": "if", "tool": "noop", "needs": [], "if": endless}),
        json!({"name": "each", "tool": "noop", "needs": [], "for_each": doubling}),
        json!({"name": "input", "tool": "noop", "needs": [], "inputs": {"text": format!("${{{{ {doubling} }}}}")}}),
        json!({"name": "match", "tool": "noop", "needs": [], "if": "'a'.matches('(a{1000}){1000}')"}),
    ];
    let mut runs = vec![];
    for _ in 0..8 {
        runs.push(hostile.submit(plan(steps.clone())).await);
    }
    let fine = json!({"name": "a", "tool": "noop", "if": "[1, 2].exists(x, x == 2)", "inputs": {"text": "${{ 1 + 1 }}"}});
    for _ in 0..3 {
        assert_eq!(other.run(plan(vec![fine.clone()])).await["status"], "succeeded", "the workers still work");
    }
    for run in runs {
        let run = hostile.end(&run).await;
        assert_eq!(run["status"], "failed");
        let failed = run["steps"].as_array().expect("steps").iter().filter(|step| step["status"] == "failed").collect::<Vec<_>>();
        assert!(!failed.is_empty(), "{run}");
        for step in failed {
            let error = step["error"]["message"].as_str().unwrap_or_default();
            assert!(error.contains("takes too much work or memory") || error.contains("too large when it is compiled"), "{step}");
            assert_eq!(step["attempt"], 1, "it is not tried again: {step}");
        }
    }
}

#[tokio::test]
async fn a_plan_that_a_step_submits_is_refused_the_same_way() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    let bomb = json!({"goal": "x", "steps": [{"name": "a", "tool": "noop", "if": nested(12, 8)}]});
    let run = person.submit(plan(vec![json!({"name": "submit", "tool": "plan:submit", "inputs": {"plan": bomb}})])).await;
    let waiting = person.wait(&run, |run| run["gates"][0]["status"] == "pending").await;
    let gate = waiting["gates"][0]["id"].as_str().expect("an id");
    assert_eq!(tenant.supervisor().post(&format!("/api/gates/{gate}/approve"), json!({})).await.0, 200);
    let run = person.end(&run).await;
    let step = people::step(&run, "submit");
    assert_eq!(
        (run["status"].as_str(), &step["error"]["details"]["errors"][0]["pointer"]),
        (Some("failed"), &json!("/steps/0/if")),
        "{step}"
    );
}

/// Who sends so much that a filter cannot be evaluated does not get past the hook.
#[tokio::test]
async fn a_filter_that_takes_too_long_matches() {
    let tenant = Tenant::new().await;
    tenant.allow_loopback().await;
    let (admin, person, receiver) = (tenant.admin(), tenant.contributor(), Receiver::start().await);
    let steps = "request.body.plan.steps";
    let filter = format!("request.path == '/api/runs' && {steps}.exists(a, {steps}.exists(b, a.name + b.name == 'secret'))");
    let hook = json!({"name": "names", "phase": "pre", "filter": filter, "target": {"kind": "webhook", "url": receiver.url}});
    let (status, made) = admin.post("/api/hooks", hook).await;
    assert_eq!(status, 200, "{made}");
    receiver.always(200, "{\"allow\": false, \"reason\": \"asked\"}", Duration::ZERO);
    let named = |count: usize| plan((0..count).map(|at| json!({"name": format!("s{at}"), "tool": "noop", "needs": []})).collect());
    assert_eq!(person.post("/api/runs", json!({"plan": named(3)})).await.0, 201, "it is not for this one");
    let (code, problem) = person.post("/api/runs", json!({"plan": named(500)})).await;
    assert_eq!((code.as_u16(), receiver.received().len()), (403, 1), "{problem}");
    assert_eq!(Tenant::new().await.contributor().post("/api/runs", json!({"plan": named(1)})).await.0, 201, "others are served");
}

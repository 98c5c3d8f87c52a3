//! The dashboard on the host of the scenarios; `tests/browser` tests its looks.

use nofx_tests::people::{status, step as found};
use nofx_tests::plans::{plan, step};
use nofx_tests::stack::STACK;
use nofx_tests::{Person, Tenant};
use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn pages_and_forms_work_on_every_host() {
    let nobody = Person::with_token("");
    let away = nobody.browse(Method::GET, "/ui/runs?status=failed").send().await.expect("an answer");
    let to = away.headers()["location"].to_str().expect("text");
    assert_eq!((away.status().as_u16(), to), (303, "/ui/sign-in?next=%2Fui%2Fruns%3Fstatus%3Dfailed"));
    let sign_in = nobody.browse(Method::GET, "/ui/sign-in").send().await.expect("an answer");
    assert!(sign_in.text().await.expect("text").contains("Sign in to NOFX"));

    let person = Tenant::new().await.contributor();
    let run = person.submit(plan(vec![step("slow", "sleep", &[], json!({"seconds": 600}))])).await;
    let page = person.browse(Method::GET, &format!("/ui/runs/{run}")).send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    assert!(page.headers()["content-security-policy"].to_str().expect("text").contains("script-src 'self'"));
    let (page, form) = (format!("/ui/runs/{run}"), |verb: &str| format!("/ui/runs/{run}/{verb}"));
    assert_eq!(person.send_form(&page, &form("pause"), &[]).await, "+Run paused.");
    assert_eq!(person.get(&format!("/api/runs/{run}")).await.1["status"], "paused");
    assert_eq!(person.send_form(&page, &form("resume"), &[]).await, "+Run resumed.");
    assert_eq!(person.send_form(&page, &form("cancel"), &[("reason", "enough")]).await, "+Cancelling the run.");
    let ended = person.end(&run).await;
    assert_eq!((ended["status"].as_str(), ended["error"]["message"].as_str()), (Some("cancelled"), Some("enough")), "{ended}");
    assert!(person.send_form(&page, &form("retry"), &[]).await.contains("only a failed run"), "what is refused is said");
}

#[tokio::test]
async fn what_is_refused_on_the_way_to_a_page_is_a_page() {
    let url = format!("{}/ui/sign-in", STACK.get("api_url"));
    let refused = nofx_shared::net::client().post(url).header("sec-fetch-site", "cross-site").send().await.expect("an answer");
    assert_eq!(
        (refused.status(), &refused.headers()["content-type"]),
        (StatusCode::FORBIDDEN, &HeaderValue::from_static("text/html; charset=utf-8"))
    );
    assert!(refused.headers()["content-security-policy"].to_str().expect("text").contains("script-src 'self'"));
    assert!(refused.text().await.expect("text").contains("The request came from another site."));
}

#[tokio::test]
async fn an_artifact_is_reached_by_id_and_by_uri_and_by_its_tenant_only() {
    let tenant = Tenant::new().await;
    let (person, outsider) = (tenant.contributor(), Tenant::new().await.admin());
    let run = person.run(plan(vec![step("say", "bash", &[], json!({"script": "echo kept"}))])).await;
    let kept = &run["artifacts"][0];
    for query in [format!("id={}", kept["id"].as_str().expect("an id")), format!("uri={}", kept["uri"].as_str().expect("a URI"))] {
        let path = format!("/ui/artifacts/signed?{query}");
        let answer = person.browse(Method::GET, &path).send().await.expect("an answer");
        let url = answer.headers()["location"].to_str().expect("text").to_owned();
        let text = nofx_shared::net::client().get(url).send().await.expect("an answer").text().await.expect("text");
        assert_eq!(text, "kept\n", "{query}");
        assert_eq!(outsider.browse(Method::GET, &path).send().await.expect("an answer").status(), 404, "{query}");
    }
}

#[tokio::test]
async fn a_gate_is_decided_and_runs_are_cancelled_together_by_forms() {
    let tenant = Tenant::new().await;
    let (author, supervisor) = (tenant.contributor(), tenant.supervisor());
    let gated = json!({"goal": "ship", "steps": [{"name": "ask", "tool": "manual:deploy", "inputs": {"question": "Ship it?"}}]});
    let run = author.submit(gated).await;
    let parked = author.wait(&run, |run| found(run, "ask")["waits_for"] == "gate").await;
    let (_, gates) = supervisor.get(&format!("/api/runs/{}/gates", parked["id"].as_str().expect("an id"))).await;
    let form = format!("/ui/approvals/{}/approve", gates["data"][0]["id"].as_str().expect("a gate"));
    assert!(supervisor.send_form("/ui/approvals", &form, &[("reason", "looks good")]).await.starts_with('+'));
    assert_eq!(author.end(&run).await["status"], "succeeded");

    let slow = || plan(vec![step("slow", "sleep", &[], json!({"seconds": 600}))]);
    let (one, other) = (author.submit(slow()).await, author.submit(slow()).await);
    let notice =
        author.send_form("/ui/runs", "/ui/runs/bulk", &[("action", "cancel"), ("reason", "both"), ("run", &one), ("run", &other)]).await;
    assert!(notice.starts_with('+'), "{notice}");
    for run in [one, other] {
        assert_eq!(author.end(&run).await["error"]["message"], "both");
    }
}

#[tokio::test]
async fn operators_close_breakers_and_requeue_dead_letters_from_the_page() {
    let tenant = Tenant::new().await;
    let (author, supervisor) = (tenant.contributor(), tenant.supervisor());
    let open = "insert into nofx.handler_health (tenant_id, target, state, probe_at, opened_at) values ($1, 'http:example.com', 'open', now() + interval '1 hour', now())";
    STACK.sql().await.execute(open, &[&tenant.id]).await.expect("a breaker");
    assert!(
        supervisor
            .send_form("/ui/system", "/ui/system/breakers", &[("target", "http:example.com")])
            .await
            .starts_with("+Breaker closed. Steps that waited for it")
    );
    assert_eq!(supervisor.get("/api/breakers").await.1["data"][0]["state"], "closed");

    let run = author
        .run(json!({"goal": "die", "steps": [{"name": "f", "tool": "fail", "retry": {"max_attempts": 1}, "inputs": {"transient": true}}]}))
        .await;
    assert_eq!(status(&run, "f"), "failed");
    let (_, dead_letters) = author.get("/api/dlq").await;
    let dead_letter = dead_letters["data"][0]["id"].as_str().expect("a dead letter");
    assert_eq!(author.send_form("/ui/system", "/ui/system/dlq/requeue", &[]).await, "-Select at least one dead letter. ");
    assert_eq!(
        author.send_form("/ui/system", "/ui/system/dlq/requeue", &[("dead_letter", dead_letter)]).await,
        "+Requeued 1 dead letter; its run is running again."
    );
    let run = author.end(run["id"].as_str().expect("an id")).await;
    assert_eq!(found(&run, "f")["attempt"], 2, "{run}");
    let (_, dead_letters) = author.get("/api/dlq").await;
    let dead_letter = dead_letters["data"][0]["id"].as_str().expect("a dead letter");
    assert!(
        author.send_form("/ui/system", "/ui/system/dlq/purge", &[("dead_letter", dead_letter)]).await.starts_with('-'),
        "supervisors give up"
    );
    assert_eq!(supervisor.send_form("/ui/system", "/ui/system/dlq/purge", &[("dead_letter", dead_letter)]).await, "+Purged 1 dead letter.");
}

#[tokio::test]
async fn a_run_is_repeated_with_other_inputs_of_one_step_once() {
    let person = Tenant::new().await.contributor();
    let run = person.run(plan(vec![step("a", "bash", &[], json!({"script": "echo one"})), step("b", "noop", &["a"], json!({}))])).await;
    let page = format!("/ui/runs/new?from={}&step=a", run["id"].as_str().expect("an id"));
    let html = person.browse(Method::GET, &page).send().await.expect("an answer").text().await.expect("text");
    assert!(html.contains("echo one") && html.contains("Inputs of a"), "only its inputs are edited");
    let fields = [("from", run["id"].as_str().expect("an id")), ("step", "a"), ("plan", "script: echo two"), ("once", "the-same-form")];
    for _ in 0..2 {
        person.send_form(&page, "/ui/runs/new", &fields).await;
    }
    let (_, runs) = person.get("/api/runs").await;
    assert_eq!(runs["data"].as_array().map(Vec::len), Some(2), "a form that is sent twice makes one run: {runs}");
    let again = person.end(runs["data"][0]["id"].as_str().expect("an id")).await;
    assert_eq!((found(&again, "a")["outputs"]["stdout"].as_str(), status(&again, "b")), (Some("two\n"), "succeeded"));
}

//! Retention and legal holds, by the API, the command line and the database.

use nofx_tests::people::service;
use nofx_tests::sealing::BRING_KEY;
use nofx_tests::stack::STACK;
use nofx_tests::{Person, Tenant};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Prunes until nothing is left. A call does nothing while another one is under way, so it waits for that one, and like
/// a worker never in the lock's queue: there it would come before a legal hold that another test places.
async fn prune(function: &str) {
    let batch = format!(
        "begin; {BRING_KEY} select set_config('request.jwt.claims', '{{\"role\": \"service_role\"}}', true);
         do $$ begin
           while not pg_try_advisory_xact_lock(hashtextextended('nofx_prune', 0)) loop perform pg_sleep(0.01); end loop;
         end $$;
         select nofx.{function}(); commit"
    );
    for _ in 0..3 {
        STACK.sql().await.batch_execute(&batch).await.expect("a batch");
    }
}

/// A run with an artifact that ended long ago.
async fn old_run(person: &Person) -> String {
    let plan = json!({"goal": "old", "steps": [{"name": "a", "tool": "bash", "inputs": {"script": "echo there"}}]});
    let run = person.run(plan).await;
    let id = run["id"].as_str().expect("an id").to_owned();
    let age =
        "update nofx.run set created_at = now() - interval '40 days', ended_at = now() - interval '39 days' where id = $1::text::uuid";
    assert_eq!(STACK.sql().await.execute(age, &[&id]).await.expect("it is old"), 1);
    id
}

async fn delete(person: &Person, path: &str) -> (StatusCode, Value) {
    nofx_tests::people::answer(person.request(Method::DELETE, path)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_after_its_retention_unless_it_is_under_a_legal_hold() {
    let tenant = Tenant::new().await;
    let (person, supervisor, admin) = (tenant.contributor(), tenant.supervisor(), tenant.admin());
    let (gone, held) = (old_run(&person).await, old_run(&person).await);
    let path = |id: &str| format!("/api/runs/{id}");
    let artifact = person.get(&path(&gone)).await.1["artifacts"][0]["id"].as_str().expect("an artifact").to_owned();

    let shown = person.nofx(&["retention"]);
    assert!(shown.out.contains("runs         forever (default)\n") && shown.out.contains("events       90 days (default)\n"), "{shown:?}");
    let placed = supervisor.nofx(&["retention", "hold", "--run", &held, "--reason", "a lawsuit", "--json"]);
    assert_eq!((placed.code, &placed.json()["reason"]), (Some(0), &json!("a lawsuit")), "{placed:?}");
    let set = admin.nofx(&["retention", "set", "runs", "30"]);
    assert!(set.code == Some(0) && set.out.contains("runs         30 days\n"), "{set:?}");
    prune("prune_runs").await;
    assert_eq!(person.get(&path(&gone)).await.0, 404);
    assert_eq!(person.get(&format!("/api/artifacts/{artifact}")).await.0, 404);
    assert_eq!(person.get(&path(&held)).await.0, 200, "it is under a legal hold");
    let (_, events) = person.get("/api/events?types=history.pruned").await;
    assert_eq!((&events["data"][0]["data"]["what"], &events["data"][0]["data"]["count"]), (&json!("runs"), &json!(1)), "{events}");
    let (_, audit) = supervisor.get("/api/audit").await;
    let row = audit["data"].as_array().expect("rows").iter().find(|row| row["action"] == "history.pruned").expect("it is audited");
    assert!(row.to_string().contains(&gone), "which run was deleted: {row}");

    let hold = placed.json()["id"].as_str().expect("an id").to_owned();
    let holds = supervisor.nofx(&["retention", "holds"]);
    assert!(holds.out.starts_with(&hold) && holds.out.contains(&held), "{holds:?}");
    let released = supervisor.nofx(&["retention", "release", &hold]);
    assert_eq!((released.code, released.out), (Some(0), format!("{hold} released\n")));
    assert_eq!(supervisor.nofx(&["retention", "release", &hold]).code, Some(2), "twice");
    prune("prune_runs").await;
    assert_eq!(person.get(&path(&held)).await.0, 404);
}

#[tokio::test]
async fn only_sensible_settings_are_accepted_and_a_refused_one_changes_nothing() {
    let tenant = Tenant::new().await;
    let (supervisor, admin) = (tenant.supervisor(), tenant.admin());
    let before = admin.get("/api/retention").await.1;
    assert_eq!(before["data"][0], json!({"what": "runs", "days": null, "is_default": true}));
    for body in [
        json!({}),
        json!({"what": "runs"}),
        json!({"days": 30}),
        json!({"what": null, "days": 30}),
        json!({"what": "audit", "days": 30}),
        json!({"what": ["runs"], "days": 30}),
        json!({"what": "runs", "days": 0}),
        json!({"what": "runs", "days": -1}),
        json!({"what": "runs", "days": 3651}),
        json!({"what": "runs", "days": 4_294_967_297_u64}),
        json!({"what": "runs", "days": 1e300}),
        json!({"what": "runs", "days": 1.5}),
        json!({"what": "runs", "days": "30"}),
        json!({"what": "runs", "days": true}),
        json!({"what": "runs", "days": 30, "tenant_id": tenant.id}),
    ] {
        let (status, answer) = admin.post("/api/retention", body.clone()).await;
        assert_eq!(status, 422, "{body}: {answer}");
    }
    assert_eq!(supervisor.post("/api/retention", json!({"what": "runs", "days": 30})).await.0, 403);
    assert_eq!(admin.get("/api/retention").await.1, before);

    assert_eq!(admin.post("/api/retention", json!({"what": "runs", "days": 30})).await.0, 204);
    let (status, answer) = admin.post("/api/retention", json!({"what": "artifacts", "days": 31})).await;
    assert_eq!((status.as_u16(), &answer["type"]), (422, &json!("https://nofx.dev/problems/invalid-retention")), "{answer}");
    assert_eq!(admin.post("/api/retention", json!({"what": "runs", "days": null})).await.0, 204);
    assert_eq!(admin.get("/api/retention").await.1["data"][0], json!({"what": "runs", "days": null, "is_default": false}));
}

#[tokio::test]
async fn a_legal_hold_needs_a_reason_and_a_run_of_the_tenant() {
    let (tenant, theirs) = (Tenant::new().await, Tenant::new().await);
    let supervisor = tenant.supervisor();
    let run = theirs.contributor().submit(json!({"goal": "theirs", "steps": [{"name": "a", "tool": "noop"}]})).await;
    for (body, expected) in [
        (json!({}), 422),
        (json!({"reason": ""}), 422),
        (json!({"reason": " \n\t "}), 422),
        (json!({"reason": "x".repeat(2001)}), 422),
        (json!({"reason": null}), 422),
        (json!({"reason": "why", "run_id": "nonsense"}), 422),
        (json!({"reason": "why", "run_id": run}), 404),
        (json!({"reason": "why", "run_id": tenant.id}), 404),
    ] {
        let (status, answer) = supervisor.post("/api/retention/holds", body.clone()).await;
        assert_eq!(status, expected, "{body}: {answer}");
    }
    assert_eq!(supervisor.get("/api/retention/holds").await.1["data"], json!([]));
    let request =
        |key: &str| supervisor.request(Method::POST, "/api/retention/holds").header("idempotency-key", key).json(&json!({"reason": "why"}));
    let (first, again) = (nofx_tests::people::answer(request("k")).await, nofx_tests::people::answer(request("k")).await);
    assert_eq!((first.0.as_u16(), &first.1["id"]), (201, &again.1["id"]), "a repeated request places no second one");
    assert_eq!(supervisor.get("/api/retention/holds").await.1["data"].as_array().map(Vec::len), Some(1));
    let path = format!("/api/retention/holds/{}", first.1["id"].as_str().expect("an id"));
    assert_eq!(delete(&theirs.admin(), &path).await.0, 404, "of another tenant");
    assert_eq!(delete(&tenant.contributor(), &path).await.0, 403);
    assert_eq!(supervisor.get("/api/retention/holds").await.1["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(delete(&supervisor, &path).await.0, 204);
}

#[tokio::test]
async fn one_deletion_is_under_way_at_a_time_and_a_legal_hold_waits_for_it() {
    let tenant = Tenant::new().await;
    let run = old_run(&tenant.contributor()).await;
    // A batch that has begun and does not end: it has not yet seen the hold. Before the setting, or another test's batch deletes the run.
    let batch = STACK.sql().await;
    batch.batch_execute("begin; select pg_advisory_xact_lock(hashtextextended('nofx_prune', 0))").await.expect("it begins");
    assert_eq!(tenant.admin().post("/api/retention", json!({"what": "runs", "days": 30})).await.0, 204);
    let deleted: u32 = service().call("prune_runs", &json!({})).await.expect("an answer");
    assert_eq!((deleted, tenant.viewer().get(&format!("/api/runs/{run}")).await.0.as_u16()), (0, 200), "another batch is under way");

    // By a connection of its own: others wait for the same lock, and only one that waits is next when the batch ends.
    let (person, sql) = (STACK.sql().await, STACK.sql().await);
    let pid: i32 = person.query_one("select pg_backend_pid()", &[]).await.expect("a number").get(0);
    let claims = json!({"role": "authenticated", "sub": "one", "app_metadata": {"tenant_id": tenant.id, "nofx_role": "supervisor"}});
    let place = format!(
        "begin; {BRING_KEY} set local role nofx_api; select set_config('request.jwt.claims', '{claims}', true);
         select nofx.place_hold('{run}', 'why'); commit"
    );
    let placed = person.batch_execute(&place);
    tokio::pin!(placed);
    let waits = async {
        let waiting = "select exists (select from pg_locks where pid = $1 and locktype = 'advisory' and not granted)";
        while !sql.query_one(waiting, &[&pid]).await.expect("an answer").get::<_, bool>(0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! { answer = &mut placed => panic!("it did not wait: {answer:?}"), () = waits => {} }
    batch.batch_execute("commit").await.expect("it ends");
    placed.await.expect("it is placed");
    prune("prune_runs").await;
    assert_eq!(tenant.viewer().get(&format!("/api/runs/{run}")).await.0, 200, "the hold was in time");
}

use nofx_tests::Tenant;
use nofx_tests::people::{service, status, step};
use nofx_tests::plans::{bash, plan, step as make, until};
use nofx_tests::stack::STACK;
use serde_json::{Value, json};

#[tokio::test]
async fn a_bash_step_sees_no_environment_but_its_own() {
    let person = Tenant::new().await.contributor();
    let run = person.run(plan(vec![json!({"name": "env", "tool": "bash", "env": {"MINE": "yes"}, "inputs": {"argv": ["env"]}})])).await;
    let seen = step(&run, "env")["outputs"]["stdout"].as_str().expect("output").to_owned();
    let names: Vec<&str> = seen.lines().filter_map(|line| line.split('=').next()).collect();
    assert!(["MINE", "PATH"].iter().all(|name| names.contains(name)), "{seen}");
    for name in names {
        let fine = [
            "PATH",
            "HOME",
            "LANG",
            "NOFX_OUTPUT",
            "MINE",
            "NON_INTERACTIVE_MODE",
            "GIT_TERMINAL_PROMPT",
            "TRACEPARENT",
            "TMPDIR",
            // Name servers are asked by TCP.
            "RES_OPTIONS",
            "PWD",
            "SHLVL",
            "_",
        ];
        assert!(fine.contains(&name), "{name} leaked: {seen}");
    }
}

#[tokio::test]
async fn a_plan_cannot_make_its_steps_interactive() {
    let person = Tenant::new().await.contributor();
    let env = json!({"NON_INTERACTIVE_MODE": "false", "GIT_TERMINAL_PROMPT": "1"});
    let script = "echo $NON_INTERACTIVE_MODE $GIT_TERMINAL_PROMPT; read -r answer || echo nobody answers";
    let run = person.run(plan(vec![json!({"name": "ask", "tool": "bash", "env": env, "inputs": {"script": script}})])).await;
    assert_eq!(step(&run, "ask")["outputs"]["stdout"], "true 0\nnobody answers\n", "{run}");
}

#[tokio::test]
async fn a_secret_is_masked_in_outputs_and_logs() {
    let person = Tenant::new().await.contributor();
    let run = person
        .run(plan(vec![json!({"name": "tell", "tool": "bash", "secrets": ["TEST_TOKEN"], "on_failure": "continue", "inputs": {"script": "echo it is $TEST_TOKEN; echo $TEST_TOKEN >&2; exit 1"}}),
            json!({"name": "give", "tool": "bash", "secrets": ["TEST_TOKEN"], "inputs": {"script": "echo it is $TEST_TOKEN; echo \"{\\\"mine\\\": \\\"<$TEST_TOKEN>\\\"}\" > $NOFX_OUTPUT"}}),
        ]))
        .await;
    assert_eq!((status(&run, "tell"), status(&run, "give")), ("failed", "succeeded"), "{run}");
    assert_eq!(step(&run, "give")["outputs"]["mine"], "<***>", "{run}");
    for name in ["tell", "give"] {
        let log = person.kept(&run, name, "log-1.txt").await;
        assert!(log.contains("it is ***") && !log.contains("hunter2"), "{name}: {log}");
    }
    assert!(!run.to_string().contains("hunter2"), "{run}");
    assert!(run.to_string().contains("***"), "{run}");
}

#[tokio::test]
async fn no_part_of_a_secret_stays_where_a_log_is_cut() {
    let person = Tenant::new().await.contributor();
    // The log ends one byte before the secret does.
    let script = r#"head -c 4194290 /dev/zero | tr '\0' o; printf '%s and more' "$TEST_TOKEN""#;
    let run =
        person.run(plan(vec![json!({"name": "loud", "tool": "bash", "secrets": ["TEST_TOKEN"], "inputs": {"script": script}})])).await;
    let log = person.kept(&run, "loud", "log-1.txt").await;
    let end = &log[log.len() - 60..];
    assert!(end.contains("more bytes were dropped]") && !log.contains("hunter"), "{end}");
    assert!(!run.to_string().contains("hunter"), "{}", step(&run, "loud")["error"]);
}

#[tokio::test]
async fn a_run_shows_the_inputs_that_were_used_without_secrets_and_all_attempts() {
    let tenant = Tenant::new().await;
    let (person, outsider) = (tenant.contributor(), Tenant::new().await.admin());
    let run = person
        .run(plan(vec![
            bash("make", "echo '{\"v\": \"resolved\"}' > $NOFX_OUTPUT"),
            json!({"name": "use", "tool": "bash", "needs": ["make"], "secrets": ["TEST_TOKEN"], "on_failure": "continue",
                "retry": {"max_attempts": 2, "initial_ms": 1}, "inputs": {"script": "echo ${{ steps.make.outputs.v }} hunter2-hunter2; exit 1"}}),
            json!({"name": "big", "tool": "noop", "needs": [], "inputs": {"text": "ü".repeat(3000), "small": 1}}),
        ]))
        .await;
    let (used, big) = (step(&run, "use"), step(&run, "big"));
    assert_eq!((used["inputs"]["script"].as_str(), &used["inputs_are_cut"]), (Some("echo resolved ***; exit 1"), &json!(false)));
    let attempts = used["attempts"].as_array().expect("attempts");
    assert_eq!(attempts.len(), 2, "{used}");
    for (attempt, number) in attempts.iter().zip([1, 2]) {
        assert_eq!((attempt["attempt"].as_u64(), attempt["outcome"].as_str()), (Some(number), Some("failed")), "{attempt}");
        assert!(attempt["worker"].is_string() && attempt["started_at"].is_string() && attempt["ended_at"].is_string(), "{attempt}");
        assert_eq!(attempt["error"]["message"], "the process exited with code 1");
    }
    assert_eq!(big["attempts"][0]["outcome"], "succeeded");
    assert_eq!((&big["inputs_are_cut"], &big["inputs"]["small"]), (&json!(true), &json!(1)));
    assert_eq!(big["inputs"]["text"].as_str(), Some(format!("{}… [cut: 6002 bytes]", "ü".repeat(200)).as_str()));

    let inputs = |run: &Value, step: &Value| {
        format!("/api/runs/{}/steps/{}/inputs", run["id"].as_str().expect("an id"), step["id"].as_str().expect("an id"))
    };
    assert_eq!(person.get(&inputs(&run, big)).await.1["inputs"], json!({"text": "ü".repeat(3000), "small": 1}), "all of it");
    assert_eq!(person.get(&inputs(&run, used)).await.1["inputs"], used["inputs"]);
    assert_eq!(outsider.get(&inputs(&run, used)).await.0, 404, "another tenant's");
    let other = person.run(plan(vec![make("a", "noop", &[], json!({}))])).await;
    assert_eq!(person.get(&inputs(&other, used)).await.0, 404, "another run's");
    assert_eq!(step(&other, "a")["inputs"], json!({}));
}

#[tokio::test]
async fn a_settle_with_an_old_token_is_refused() {
    let person = Tenant::new().await.contributor();
    let folder = tempfile::tempdir().expect("a folder");
    let go = folder.path().join("go");
    let id = person.submit(plan(vec![bash("long", &until(&go))])).await;
    let run = person.wait(&id, |run| status(run, "long") == "running").await;
    let held: uuid::Uuid = step(&run, "long")["id"].as_str().expect("an id").parse().expect("an id");
    let sql = STACK.sql().await;
    let token = async || {
        let row = sql.query_one("select lease_token from nofx.step where id = $1", &[&held]).await.expect("the step");
        row.get::<_, Option<uuid::Uuid>>(0)
    };
    let old = token().await.expect("a lease");

    // Its lease expires, and a worker claims it again: only the new token counts.
    let begun = std::time::Instant::now();
    while token().await.is_none_or(|now| now == old) {
        let ended = "update nofx.step set lease_expires_at = now() - interval '1 second' where id = $1 and lease_token = $2";
        if sql.execute(ended, &[&held, &old]).await.expect("its lease ends") == 1 {
            sql.execute("update nofx_private.lease_batch set check_at = now() - interval '1 second' where $1 = any (step_ids)", &[&held])
                .await
                .expect("it is looked at");
            service().call::<_, Value>("expire_leases", &json!({})).await.expect("leases that are over are taken back");
        }
        assert!(begun.elapsed().as_secs() < 60, "no worker took it again");
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let late = json!([{"step_id": held, "token": old, "kind": "done", "outputs": {"from": "the old worker"}}]);
    let settled: Value = service().call("settle_steps", &json!({"p_worker": "w", "p_outcomes": late})).await.expect("an answer");
    assert_eq!(settled["refused"].as_array().map(Vec::len), Some(1), "{settled}");
    let run = person.get(&format!("/api/runs/{id}")).await.1;
    assert_eq!((status(&run, "long"), &step(&run, "long")["outputs"]["from"]), ("running", &json!(null)), "{run}");

    std::fs::write(go, "").expect("written");
    let run = person.end(&id).await;
    assert_eq!((run["status"].as_str(), step(&run, "long")["attempt"].as_u64()), (Some("succeeded"), Some(2)), "{run}");
}

mod every_host {
    use super::*;

    #[tokio::test]
    async fn steps_run_in_order_and_the_timeline_shows_it() {
        let person = Tenant::new().await.contributor();
        let run = person.run(json!({"goal": "chain", "steps": [{"name": "a", "tool": "noop"}, {"name": "b", "tool": "noop"}]})).await;
        assert_eq!(run["status"], "succeeded");
        let emitted = person.run_events(run["id"].as_str().expect("an id")).await;
        assert_eq!(
            emitted,
            [
                "run.created",
                "step.ready a",
                "run.started",
                "step.started a",
                "step.succeeded a",
                "step.started b",
                "step.succeeded b",
                "run.succeeded"
            ]
        );
    }

    #[tokio::test]
    async fn outputs_reach_the_steps_that_name_them() {
        let person = Tenant::new().await.contributor();
        let run = person
            .run(plan(vec![
                bash("list", "echo '{\"items\": [\"x\", \"y\"]}' > $NOFX_OUTPUT"),
                json!({"name": "each", "tool": "noop", "needs": ["list"], "for_each": "steps.list.outputs.items", "inputs": {"v": "${{ item }}", "n": "${{ index }}"}}),
                json!({"name": "never", "tool": "noop", "needs": ["list"], "if": "size(steps.list.outputs.items) > 5"}),
                json!({"name": "none", "tool": "noop", "needs": ["list"], "for_each": "[]"}),
            ]))
            .await;
        assert_eq!(step(&run, "each")["outputs"], json!([{"v": "x", "n": 0}, {"v": "y", "n": 1}]));
        assert_eq!((status(&run, "never"), step(&run, "none")["outputs"].clone()), ("skipped", json!([])));
    }

    #[tokio::test]
    async fn a_paused_run_starts_nothing_until_it_is_resumed() {
        let person = Tenant::new().await.contributor();
        let folder = tempfile::tempdir().expect("a folder");
        let go = folder.path().join("go");
        let id = person.submit(plan(vec![bash("nap", &until(&go)), make("after", "noop", &["nap"], json!({}))])).await;
        person.wait(&id, |run| status(run, "nap") == "running").await;
        assert_eq!(person.post(&format!("/api/runs/{id}/pause"), json!({})).await.0, 200);
        std::fs::write(go, "").expect("written");
        // Running steps continue; the settle, which would have started the next step, has committed when the result is visible.
        let run = person.wait(&id, |run| status(run, "nap") == "succeeded").await;
        assert_eq!((run["status"].as_str(), status(&run, "after")), (Some("paused"), "pending"));
        person.post(&format!("/api/runs/{id}/resume"), json!({})).await;
        assert_eq!(person.end(&id).await["status"], "succeeded");
    }

    #[tokio::test]
    async fn the_list_pages_without_gaps_or_doubles() {
        let person = Tenant::new().await.contributor();
        let mut ids = std::collections::BTreeSet::new();
        for _ in 0..5 {
            ids.insert(person.submit(plan(vec![make("a", "noop", &[], json!({}))])).await);
        }
        let (mut seen, mut cursor) = (vec![], String::new());
        loop {
            let (_, page) = person.get(&format!("/api/runs?limit=2{cursor}")).await;
            seen.extend(page["data"].as_array().expect("rows").iter().map(|run| run["id"].as_str().expect("an id").to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 5);
        assert_eq!(seen.into_iter().collect::<std::collections::BTreeSet<_>>(), ids);
    }
}

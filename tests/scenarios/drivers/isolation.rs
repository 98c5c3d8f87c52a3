//! Where steps run and how isolated they are: what plans, tenants and rows that no one has checked may say, and what is recorded.

use base64::Engine;
use nofx_tests::Tenant;
use nofx_tests::people::step;
use nofx_tests::stack::STACK;
use reqwest::StatusCode;
use serde_json::{Value, json};

fn bash(name: &str, more: &Value) -> Value {
    let mut step = json!({"name": name, "tool": "bash", "inputs": {"script": "echo ran"}});
    step.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    step
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_honoured_is_refused_with_a_pointer_to_it() {
    let person = Tenant::new().await.contributor();
    for (more, pointer) in [
        (json!({"driver": "lambda"}), "/steps/0/driver"),
        (json!({"driver": "vercel-function"}), "/steps/0/driver"),
        (json!({"min_isolation": "L9"}), "/steps/0/min_isolation"),
        (json!({"driver": "worker-container", "min_isolation": "L4"}), "/steps/0/min_isolation"),
        (json!({"image": "rust:1.95"}), "/steps/0/image"),
        (json!({"driver": "e2b", "image": "--privileged"}), "/steps/0/image"),
        (json!({"driver": "e2b", "placement": "task"}), "/steps/0/placement"),
        (json!({"placement": "host"}), "/steps/0/placement"),
        (json!({"driver": "e2b", "toolchains": ["rust"]}), "/steps/0/toolchains"),
        (json!({"toolchains": ["../x"]}), "/steps/0/toolchains"),
        (json!({"resources": {"memory_mb": 1}}), "/steps/0/resources/memory_mb"),
        (json!({"resources": {"network": "host"}}), "/steps/0/resources"),
    ] {
        let (status, problem) = person.post("/api/runs", json!({"plan": {"goal": "x", "steps": [bash("a", &more)]}})).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{more}: {problem}");
        let pointers: Vec<&Value> = problem["errors"].as_array().expect("faults").iter().map(|fault| &fault["pointer"]).collect();
        assert_eq!(pointers, [pointer], "{more}: {problem}");
    }
    assert_eq!(person.get("/api/runs").await.1["data"], json!([]), "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tenant_demands_applies_when_a_step_is_claimed_to_that_tenant_alone() {
    let (tenant, other) = (Tenant::new().await, Tenant::new().await);
    let (person, admin) = (tenant.contributor(), tenant.admin());
    let plan = json!({"goal": "x", "steps": [{"name": "ask", "tool": "manual:x"}, bash("go", &json!({})), {"name": "wait", "tool": "noop", "needs": ["ask"]}]});
    let mut plan = plan;
    plan["steps"][1]["needs"] = json!(["ask"]);
    let id = person.submit(plan.clone()).await;
    let run = person.wait(&id, |run| run["gates"][0]["status"] == "pending").await;

    let set = admin.nofx(&["isolation", "set", "--min", "L1", "--tool", "bash=L4", "--json"]);
    assert_eq!(
        (set.code, set.json()),
        (Some(0), json!({"default_driver": null, "min_isolation": "L1", "tools": {"bash": "L4"}, "images": {}, "toolchains": null})),
        "{set:?}"
    );
    assert_eq!(person.nofx(&["isolation", "set", "--min", "none"]).code, Some(2), "only admins set it");
    assert_eq!(
        other.viewer().get("/api/isolation").await.1,
        json!({"default_driver": null, "min_isolation": null, "tools": {}, "images": {}, "toolchains": null})
    );
    let approve = format!("/api/gates/{}/approve", run["gates"][0]["id"].as_str().expect("an id"));
    assert_eq!(tenant.supervisor().post(&approve, json!({"reason": "go on"})).await.0, StatusCode::OK);

    let run = person.end(&id).await;
    let failed = step(&run, "go");
    let message = failed["error"]["message"].as_str().expect("a reason");
    assert!(failed["status"] == "failed" && message.contains("worker-container reaches L3; L4 needs the driver modal or e2b"), "{failed}");
    assert_eq!(failed["attempts"].as_array().map(Vec::len), Some(1), "no other attempt could succeed: {failed}");
    assert_eq!(run["artifacts"], json!([]), "it did not run");
    assert_eq!(step(&run, "wait")["status"], "succeeded", "it runs no program");
    let run = other.contributor().run(json!({"goal": "x", "steps": [bash("go", &json!({}))]})).await;
    assert_eq!(run["status"], "succeeded", "{run}");

    let cleared = admin.nofx(&["isolation", "clear"]);
    assert!(cleared.code == Some(0) && cleared.out.contains("minimum          the operator's\n"), "{cleared:?}");
    let run = person.run(json!({"goal": "x", "steps": [bash("go", &json!({}))]})).await;
    assert_eq!(run["status"], "succeeded", "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_sent_whole_and_wrong_ones_change_nothing() {
    let admin = Tenant::new().await.admin();
    let good = json!({"default_driver": "e2b", "min_isolation": "L2", "tools": {"gate:*": "L3"}, "images": {"e2b": "base"}, "toolchains": ["rust"]});
    assert_eq!(admin.post("/api/isolation", good.clone()).await, (StatusCode::OK, good.clone()));
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    let mut without = good.clone();
    without.as_object_mut().expect("an object").remove("min_isolation");
    for wrong in [
        json!({}),
        json!([]),
        without,
        with("default_driver", json!("lambda")),
        with("min_isolation", json!("L0")),
        with("tools", json!(null)),
        with("tools", json!({"bash": "high"})),
        with("tools", json!({"*": "L2"})),
        with("tools", json!({"bash; drop table": "L2"})),
        with("images", json!(null)),
        with("images", json!({"e2b": "--privileged"})),
        with("images", json!({"bash": "base"})),
        with("toolchains", json!("rust")),
        with("toolchains", json!(["../x"])),
        with("tenant_id", json!("00000000-0000-0000-0000-000000000001")),
    ] {
        let (status, problem) = admin.post("/api/isolation", wrong.clone()).await;
        assert!([StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY].contains(&status), "{wrong}: {status} {problem}");
    }
    assert_eq!(admin.get("/api/isolation").await.1, good);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_is_not_offered_fails_the_step_and_nothing_runs_elsewhere() {
    let person = Tenant::new().await.contributor();
    let run = person.run(json!({"goal": "x", "steps": [bash("go", &json!({"driver": "e2b", "image": "base"}))]})).await;
    let message = step(&run, "go")["error"]["message"].as_str().expect("a reason").to_owned();
    assert!(message.contains("does not offer the driver e2b"), "{message}");
    assert_eq!(run["artifacts"], json!([]), "it did not run");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_toolchain_that_no_worker_has_fails_the_step_with_what_there_is() {
    let (tenant, other) = (Tenant::new().await, Tenant::new().await);
    let set = tenant.admin().nofx(&["isolation", "set", "--toolchain", "fortran", "--image", "modal=python:3.13"]);
    let shown = ["toolchains       fortran\n", "image of modal   python:3.13\n"].iter().all(|line| set.out.contains(line));
    assert!(set.code == Some(0) && shown, "{set:?}");
    let by_tenant = tenant.contributor().run(json!({"goal": "x", "steps": [bash("go", &json!({}))]})).await;
    let by_plan = other.contributor().run(json!({"goal": "x", "steps": [bash("go", &json!({"toolchains": ["fortran"]}))]})).await;
    for run in [by_tenant, by_plan] {
        let message = step(&run, "go")["error"]["message"].as_str().expect("a reason").to_owned();
        assert!(message.contains("this worker has no `fortran`; it has "), "{message}");
        assert_eq!(run["artifacts"], json!([]), "it did not run");
    }
    // None at all is what the system has.
    let none = other.contributor().run(json!({"goal": "x", "steps": [bash("go", &json!({"toolchains": []}))]})).await;
    assert_eq!(
        (none["status"].as_str(), &step(&none, "go")["attempts"][0]["isolation"]["toolchains"]),
        (Some("succeeded"), &json!([])),
        "{none}"
    );
}

/// Rows that neither the API nor `create_run` would have written.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_fails_its_own_step_and_no_other() {
    let (tenant, other) = (Tenant::new().await, Tenant::new().await);
    let person = tenant.contributor();
    let specs = [
        json!({"driver": "host"}),
        json!({"min_isolation": 0}),
        json!({"resources": {"network": "host"}}),
        json!({"resources": {"cpu_s": 0}}),
        json!({"image": "--privileged"}),
        json!({"toolchains": ["../x"]}),
        json!({"driver": "vercel-function"}),
        json!({"timeout_s": "soon"}),
    ];
    let names: Vec<String> = (0..specs.len()).map(|n| format!("s{n}")).collect();
    let rows: Vec<(String, &str, Value)> = names
        .iter()
        .zip(&specs)
        .map(|(name, spec)| {
            let mut spec = spec.clone();
            if let Some(fields) = spec.as_object_mut() {
                fields.insert("inputs".to_owned(), json!({"script": "echo ran"}));
            }
            (name.clone(), "bash", spec)
        })
        .collect();
    let id = tenant.plant(&rows).await;
    let neighbour = other.contributor().run(json!({"goal": "x", "steps": [bash("go", &json!({}))]})).await;
    assert_eq!(neighbour["status"], "succeeded", "{neighbour}");
    let run = person.end(&id).await;
    for name in &names {
        let failed = step(&run, name);
        let attempts = failed["attempts"].as_array().expect("attempts");
        assert!(failed["status"] == "failed" && attempts.len() == 1 && attempts[0]["outcome"] == "failed", "no lease expired: {failed}");
    }
    assert_eq!(run["artifacts"], json!([]), "none ran");
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_show_what_held_and_what_was_used() {
    let person = Tenant::new().await.contributor();
    let run = person.run(json!({"goal": "x", "steps": [{"name": "a", "tool": "noop"}, bash("b", &json!({}))]})).await;
    for name in ["a", "b"] {
        let attempt = step(&run, name)["attempts"][0].as_object().expect("an attempt").clone();
        assert!(attempt.contains_key("isolation") && attempt.contains_key("usage"), "{attempt:?}");
    }
    assert_eq!(step(&run, "a")["attempts"][0]["isolation"], Value::Null, "it ran no process");
    // What a driver reports is shown as it was settled.
    let isolation = json!({"level": "L2", "driver": "worker-container", "landlock_abi": 7});
    let usage = json!({"cpu_ms": 12, "max_rss_bytes": 4096, "wall_ms": 30});
    let write = "update nofx.step_attempt set isolation = $2::text::jsonb, usage = $3::text::jsonb where run_id = $1::text::uuid";
    let id = run["id"].as_str().expect("an id");
    STACK.sql().await.execute(write, &[&id, &isolation.to_string(), &usage.to_string()]).await.expect("written");
    let (_, run) = person.get(&format!("/api/runs/{id}")).await;
    assert_eq!((&step(&run, "b")["attempts"][0]["isolation"], &step(&run, "b")["attempts"][0]["usage"]), (&isolation, &usage));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_of_an_operator_holds_programs_when_their_step_is_claimed() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    let quota = json!({"tenant_id": tenant.id, "day_cpu_s": 60, "step_memory_mb": 512});
    let set = tenant.operator(reqwest::Method::POST, "/api/quotas").json(&quota).send().await.expect("an answer");
    assert_eq!(set.status(), StatusCode::OK);
    let shown = person.get("/api/quotas").await.1["data"][0].clone();
    assert_eq!((&shown["day_cpu_s"], &shown["step_memory_mb"], &shown["step_disk_mb"]), (&json!(60), &json!(512), &Value::Null), "{shown}");
    for wrong in [json!(0), json!(-1), json!("60"), json!(1.5), json!([60]), json!(u64::MAX)] {
        let quota = json!({"tenant_id": tenant.id, "day_cpu_s": wrong});
        let answer = tenant.operator(reqwest::Method::POST, "/api/quotas").json(&quota).send().await.expect("an answer");
        assert!(answer.status().is_client_error(), "{wrong}: {}", answer.status());
    }

    let big = bash("big", &json!({"resources": {"memory_mb": 513}, "on_failure": "continue"}));
    let run = person.run(json!({"goal": "x", "steps": [big, bash("fits", &json!({"resources": {"memory_mb": 512}}))]})).await;
    let message = step(&run, "big")["error"]["message"].as_str().expect("a reason").to_owned();
    assert!(message.contains("asks for 513 MiB of memory, the tenant's quota step_memory_mb is 512"), "{message}");
    assert_eq!(step(&run, "fits")["status"], "succeeded", "{run}");

    let use_up =
        "insert into nofx.sandbox_usage values ($1, (now() at time zone 'utc')::date, 0, 60000, 1) on conflict (tenant_id, day, part)
        do update set cpu_ms = 60000";
    STACK.sql().await.execute(use_up, &[&tenant.id]).await.expect("written");
    let (status, problem) = person.post("/api/runs", json!({"plan": {"goal": "x", "steps": [bash("a", &json!({}))]}})).await;
    assert_eq!((status, problem["title"].as_str()), (StatusCode::TOO_MANY_REQUESTS, Some("Tenant quota exceeded")), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn provenance_says_where_an_artifact_was_made_and_which_minimum_applied() {
    let person = Tenant::new().await.contributor();
    for (more, least) in [(json!({}), "L2"), (json!({"min_isolation": "L1"}), "L2"), (json!({"min_isolation": "L3"}), "L3")] {
        let run = person.run(json!({"goal": "x", "steps": [bash("a", &more)]})).await;
        let path = format!("/api/artifacts/{}/attestations", run["artifacts"][0]["id"].as_str().expect("an artifact"));
        let (_, page) = person.get(&path).await;
        let payload = page["data"][0]["envelope"]["payload"].as_str().expect("a payload");
        let statement = base64::engine::general_purpose::STANDARD.decode(payload).expect("base64");
        let statement: Value = serde_json::from_slice(&statement).expect("JSON");
        let parameters = &statement["predicate"]["buildDefinition"]["internalParameters"];
        assert_eq!((&parameters["driver"], &parameters["min_isolation"]), (&json!("worker-container"), &json!(least)), "{parameters}");
        assert!(parameters.as_object().is_some_and(|parameters| parameters.contains_key("isolation")), "{parameters}");
    }
}

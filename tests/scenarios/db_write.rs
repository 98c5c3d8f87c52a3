use nofx_tests::Tenant;
use nofx_tests::people::{status, step};
use nofx_tests::plans::plan;
use nofx_tests::stack::STACK;
use reqwest::Method;
use serde_json::{Value, json};

/// A table of the test that steps of the tenant may write.
async fn table(tenant: &Tenant) -> String {
    let name = format!("public.ticket_{}", tenant.id.simple());
    let make = format!(
        "create table {name} (id int primary key, status text, secret text default 's'); insert into {name} values (1, 'open'), (2, 'open')"
    );
    STACK.sql().await.batch_execute(&make).await.expect("a table");
    let rule = json!({"tenant_id": tenant.id, "table_name": name, "allowed_ops": ["insert", "update", "delete"],
        "constraints": {"columns": ["id", "status"], "checks": [{"column": "status", "op": "in", "value": ["open", "closed"]}]}});
    let request = tenant.operator(Method::POST, "/api/db-write-rules");
    let (code, answer) = nofx_tests::people::answer(request.json(&rule)).await;
    assert_eq!(code, 200, "{answer}");
    name
}

#[expect(clippy::needless_pass_by_value, reason = "takes what `json!` makes")]
fn write(inputs: Value) -> Value {
    plan(vec![json!({"name": "write", "tool": "db_write", "inputs": inputs})])
}

async fn rows(table: &str) -> Vec<String> {
    let rows = STACK.sql().await.query(&format!("select id || ' ' || status from {table} order by id"), &[]).await.expect("rows");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn an_insert_is_written_with_its_step_and_what_is_outside_the_rule_is_not() {
    let tenant = Tenant::new().await;
    let (person, table) = (tenant.contributor(), table(&tenant).await);
    let run = person.run(write(json!({"op": "insert", "table": table, "values": {"id": 3, "status": "open"}}))).await;
    assert_eq!(
        (run["status"].as_str(), &step(&run, "write")["outputs"]["after"]),
        (Some("succeeded"), &json!([{"id": 3, "status": "open"}])),
        "{run}"
    );
    for (inputs, why) in [
        (json!({"op": "insert", "table": table, "values": {"id": 4, "secret": "x"}}), "write-not-allowed: secret"),
        (json!({"op": "insert", "table": "nofx.run", "values": {"id": 4}}), "write-not-allowed: nofx.run"),
        (json!({"op": "insert", "table": table, "values": {"id": 3, "status": "open"}}), "the table refused the write (23505)"),
        (
            json!({"op": "insert", "table": table, "values": {"id": "x'; drop table", "status": "open"}}),
            "the table refused the write (22P02)",
        ),
        (json!({"op": "upsert", "table": table, "values": {"id": 3}, "dry_run": true}), "write-not-allowed: upsert"),
    ] {
        let run = person.run(write(inputs)).await;
        let message = step(&run, "write")["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(status(&run, "write") == "failed" && message.contains(why), "{why}: {run}");
    }
    let (_, problem) = person.post("/api/runs", json!({"plan": write(json!({"op": "insert", "table": table, "where": "1=1"}))})).await;
    let run = person.end(problem["id"].as_str().expect("an id")).await;
    assert!(step(&run, "write")["error"]["message"].as_str().is_some_and(|text| text.contains("unknown field `where`")), "{run}");
    assert_eq!(rows(&table).await, ["1 open", "2 open", "3 open"]);
    let other =
        Tenant::new().await.contributor().run(write(json!({"op": "insert", "table": table, "values": {"id": 9, "status": "open"}}))).await;
    assert_eq!(status(&other, "write"), "failed", "the rule is the tenant's");
}

#[tokio::test]
async fn an_update_waits_for_a_person_and_a_dry_run_does_not() {
    let tenant = Tenant::new().await;
    let (person, supervisor, table) = (tenant.contributor(), tenant.supervisor(), table(&tenant).await);
    let filter = json!([{"column": "id", "op": "eq", "value": 1}]);
    let dry = person
        .run(write(json!({"op": "update", "table": table, "values": {"status": "closed"}, "filters": filter, "dry_run": true})))
        .await;
    let outputs = &step(&dry, "write")["outputs"];
    assert_eq!((&outputs["before"][0]["status"], &outputs["after"][0]["status"]), (&json!("open"), &json!("closed")), "{dry}");
    assert_eq!(rows(&table).await[0], "1 open");

    let id = person.submit(write(json!({"op": "update", "table": table, "values": {"status": "closed"}, "filters": filter}))).await;
    let run = supervisor.wait(&id, |run| run["gates"][0]["status"] == "pending").await;
    assert_eq!((run["gates"][0]["gate_type"].as_str(), rows(&table).await[0].as_str()), (Some("manual:db"), "1 open"));
    supervisor.post(&format!("/api/gates/{}/approve", run["gates"][0]["id"].as_str().expect("an id")), json!({})).await;
    assert_eq!(supervisor.end(&id).await["status"], "succeeded");
    assert_eq!(rows(&table).await[0], "1 closed");
    let (_, record) = supervisor.get("/api/audit").await;
    let write = record["data"].as_array().expect("rows").iter().find(|row| row["action"] == "db_write.update").expect("an entry");
    let payload: Value = serde_json::from_str(write["payload"].as_str().expect("a payload")).expect("JSON");
    assert_eq!((&payload["before"][0]["status"], &payload["after"][0]["status"]), (&json!("open"), &json!("closed")));
    let (_, rules) = person.get("/api/db-write-rules").await;
    assert_eq!(rules["data"][0]["table_name"], json!(table));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_set_at_the_same_time_are_all_set() {
    let tenants = futures::future::join_all((0..12).map(|_| Tenant::new())).await;
    let tables = futures::future::join_all(tenants.iter().map(table)).await;
    for (tenant, table) in tenants.iter().zip(&tables) {
        let run = tenant.contributor().run(write(json!({"op": "insert", "table": table, "values": {"id": 3, "status": "open"}}))).await;
        assert_eq!(status(&run, "write"), "succeeded", "{run}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_a_locked_and_a_failing_table_fail_their_own_steps_and_delay_no_others() {
    let tenant = Tenant::new().await;
    let (person, table) = (tenant.contributor(), table(&tenant).await);
    let other = Tenant::new().await.contributor();
    let name = table.replace('.', "_");
    let act = format!(
        "create function public.act_{name}() returns trigger language plpgsql as $$
         begin
           if new.id = 20 then perform pg_sleep(20); end if;
           if new.id = 21 then raise exception 'not this one'; end if;
           return new;
         end $$;
         create trigger act before insert on {table} for each row execute function public.act_{name}()"
    );
    let holds = STACK.sql().await;
    holds.batch_execute(&act).await.expect("a trigger");
    holds.batch_execute(&format!("begin; insert into {table} values (23, 'open')")).await.expect("a row that others wait for");
    let insert = |step: &str, id: u32| {
        json!({"name": step, "tool": "db_write", "needs": [], "on_failure": "continue",
            "inputs": {"op": "insert", "table": table, "values": {"id": id, "status": "open"}}})
    };
    let mut steps = vec![insert("slow", 20), insert("fails", 21), insert("writes", 22), insert("locked", 23)];
    let beside: Vec<Value> = (0..12).map(|n| json!({"name": format!("beside{n}"), "tool": "noop", "needs": []})).collect();
    steps.extend(beside.clone());
    let id = person.submit(plan(steps)).await;
    let of_others = other.run(plan(beside)).await;
    let run = person.end(&id).await;
    let message = |name: &str| step(&run, name)["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert_eq!(["slow", "fails", "writes", "locked"].map(|name| status(&run, name)), ["failed", "failed", "succeeded", "failed"], "{run}");
    assert_eq!(message("slow"), "the write was stopped, and nothing is written: a write may take five seconds");
    assert!(message("fails").contains("not this one") && message("locked").contains("55P03"), "{run}");
    for run in [&run, &of_others] {
        for one in
            run["steps"].as_array().expect("steps").iter().filter(|one| one["name"].as_str().is_some_and(|it| it.starts_with("beside")))
        {
            assert_eq!((one["status"].as_str(), &one["attempt"]), (Some("succeeded"), &json!(1)), "{run}");
        }
    }
    // Their leases were extended as long as they were not settled: each ran once.
    let again = "select count(*) from nofx.step_attempt where tenant_id = $1 and outcome = 'lease_expired'";
    assert_eq!(STACK.sql().await.query_one(again, &[&tenant.id]).await.expect("a count").get::<_, i64>(0), 0);
    holds.batch_execute("rollback").await.expect("no lock");
    assert_eq!(rows(&table).await, ["1 open", "2 open", "22 open"]);
}

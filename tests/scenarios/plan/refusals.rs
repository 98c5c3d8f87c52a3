use futures::StreamExt;
use nofx_tests::Tenant;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

fn junk() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        Just(json!("noop")),
        Just(json!("steps.a.outputs[[[")),
        Just(json!("${{ ((( }}")),
    ];
    let key = prop::sample::select(vec![
        "name",
        "tool",
        "needs",
        "if",
        "for_each",
        "inputs",
        "retry",
        "steps",
        "goal",
        "env",
        "timeout_s",
        "zzz",
    ]);
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::hash_map(key.clone(), inner, 0..6).prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_malformed_plans_are_refused_and_never_break_anything() {
    let person = Tenant::new().await.contributor();
    let mut runner = TestRunner::deterministic();
    let plans: Vec<Value> =
        (0..1000).map(|_| json!({"goal": 1, "steps": [junk().new_tree(&mut runner).expect("a value").current()]})).collect();
    futures::stream::iter(plans)
        .map(|plan| {
            let person = &person;
            async move {
                let (code, problem) = person.post("/api/runs", json!({"plan": plan})).await;
                assert_eq!(code, 422, "{plan} gave {problem}");
                assert!(problem["errors"][0]["pointer"].is_string());
            }
        })
        .buffer_unordered(8)
        .collect::<Vec<()>>()
        .await;
    assert_eq!(person.get("/api/runs").await.1["data"], json!([]));
}

#[tokio::test]
async fn plans_beyond_a_limit_are_refused_and_the_limit_is_named() {
    let person = Tenant::new().await.contributor();
    let named = |n: usize| json!({"name": format!("s{n}"), "tool": "noop"});
    let many: Vec<_> = (0..1001).map(|n| json!({"name": format!("s{n}"), "tool": "noop", "needs": []})).collect();
    let deep: Vec<_> = (0..201).map(named).collect();
    let large = json!({"name": "a", "tool": "noop", "inputs": {"text": "x".repeat(1 << 20)}});
    let refused = async |steps: Vec<Value>| {
        let (code, problem) = person.post("/api/runs", json!({"plan": {"goal": "limits", "steps": steps}})).await;
        assert_eq!(code, 422, "{problem}");
        problem["errors"].to_string()
    };
    assert!(refused(many).await.contains("1000"));
    assert!(refused(deep).await.contains("200"));
    assert!(refused(vec![large]).await.contains("the limit is"));
    let wordy: Vec<_> = (0..500)
        .map(|n| json!({"name": format!("s{n}"), "tool": "noop", "needs": [], "if": format!("{n} == 1{}", "+1".repeat(970))}))
        .collect();
    let (pointer, limit) = (r#""pointer":"/steps""#, "the limit is 32768");
    let errors = refused(wordy).await;
    assert!(errors.contains(pointer) && errors.contains(limit), "{errors}");
    let fine: Vec<_> = (0..200).map(named).collect();
    assert_eq!(person.post("/api/runs?dry_run=true", json!({"plan": {"goal": "limits", "steps": fine}})).await.0, 200);
}

mod every_host {
    use super::*;

    #[tokio::test]
    async fn a_bad_plan_is_refused_with_every_problem_and_nothing_is_written() {
        let person = Tenant::new().await.contributor();
        let plan = json!({"goal": "bad", "steps": [
            {"name": "a", "tool": "noop", "needs": ["b"]}, {"name": "b", "tool": "noop", "needs": ["a"]},
            {"name": "b", "tool": "nothing"}, {"name": "c", "tool": "noop", "needs": ["zz"], "if": "1 +"}]});
        let (code, problem) = person.post("/api/runs", json!({"plan": plan})).await;
        assert_eq!(code, 422);
        assert_eq!(problem["type"], "https://nofx.dev/problems/invalid-plan");
        assert!(problem["request_id"].is_string());
        assert!(problem["errors"].as_array().expect("errors").len() >= 4, "{problem}");
        assert_eq!(person.get("/api/runs").await.1["data"], json!([]));
    }

    #[tokio::test]
    async fn a_dry_run_shows_the_order_and_writes_nothing() {
        let person = Tenant::new().await.contributor();
        let (code, preview) = person
            .post("/api/runs?dry_run=true", json!({"plan_yaml": "steps:\n  - {name: a, tool: noop}\n  - {name: b, tool: noop}\n"}))
            .await;
        assert_eq!((code.as_u16(), &preview["order"], &preview["edges"]), (200, &json!(["a", "b"]), &json!([["a", "b"]])));
        assert_eq!(person.get("/api/runs").await.1["data"], json!([]));
    }

    #[tokio::test]
    async fn a_workspace_that_is_no_object_is_refused_even_where_it_is_not_used() {
        let person = Tenant::new().await.contributor();
        let plan = json!({"steps": [{"name": "a", "tool": "noop"}]});
        for workspace in [json!("here"), json!(1), json!([null]), json!(false)] {
            let (code, problem) = person.post("/api/runs", json!({"plan": plan, "workspace": workspace})).await;
            assert_eq!(code, 422, "{workspace}: {problem}");
        }
        assert_eq!(person.get("/api/runs").await.1["data"], json!([]));
    }
}

//! Random DAGs against a reference model that fits on a page.

use std::collections::HashMap;

use futures::StreamExt;
use nofx_tests::Tenant;
use nofx_tests::people::status;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

#[derive(Clone, Debug)]
struct Node {
    needs: Vec<usize>,
    fails: bool,
    policy: &'static str,
    condition: Option<bool>,
}

type Drawn = ([bool; 12], bool, &'static str, Option<bool>);

fn dag() -> impl Strategy<Value = Vec<Node>> {
    let node = (
        any::<[bool; 12]>(),
        prop::bool::weighted(0.2),
        prop::sample::select(vec!["continue", "skip"]),
        prop::option::weighted(0.2, any::<bool>()),
    );
    prop::collection::vec(node, 1..12).prop_map(|nodes| {
        let make = |(at, (needs, fails, policy, condition)): (usize, Drawn)| Node {
            needs: (0..at).filter(|need| needs[*need]).collect(),
            fails,
            policy,
            condition,
        };
        nodes.into_iter().enumerate().map(make).collect()
    })
}

/// The expected outcome of each step.
fn expected(nodes: &[Node]) -> Vec<&'static str> {
    let mut blocked = vec![false; nodes.len()];
    let mut result = vec![""; nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        blocked[at] = node.needs.iter().any(|need| blocked[*need] || result[*need] == "failed" && nodes[*need].policy == "skip");
        result[at] = match (blocked[at], node.condition, node.fails) {
            (true, ..) | (false, Some(false), _) => "skipped",
            (false, _, true) => "failed",
            (false, _, false) => "succeeded",
        };
    }
    result
}

fn plan(nodes: &[Node]) -> Value {
    let steps = nodes.iter().enumerate().map(|(at, node)| {
        let needs: Vec<String> = node.needs.iter().map(|need| format!("s{need}")).collect();
        let mut step =
            json!({"name": format!("s{at}"), "tool": if node.fails { "fail" } else { "noop" }, "needs": needs, "on_failure": node.policy});
        if let Some(condition) = node.condition {
            step["if"] = json!(condition.to_string());
        }
        step
    });
    json!({"goal": "random", "steps": steps.collect::<Vec<_>>()})
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_random_dags_end_as_the_model_says() {
    let person = Tenant::new().await.contributor();
    let mut runner = TestRunner::deterministic();
    let dags: Vec<Vec<Node>> = (0..200).map(|_| dag().new_tree(&mut runner).expect("a DAG").current()).collect();
    futures::stream::iter(dags)
        .map(|nodes| {
            let person = &person;
            async move {
                let run = person.run(plan(&nodes)).await;
                for (at, want) in expected(&nodes).into_iter().enumerate() {
                    assert_eq!(status(&run, &format!("s{at}")), want, "s{at} of {nodes:?}");
                }
                check_events(&person.run_events(run["id"].as_str().expect("an id")).await, &nodes);
            }
        })
        .buffer_unordered(16)
        .collect::<Vec<()>>()
        .await;
}

/// Each step finishes once, and none starts before the steps that it needs have finished.
fn check_events(emitted: &[String], nodes: &[Node]) {
    let mut ended: HashMap<&str, usize> = HashMap::new();
    for line in emitted {
        let Some((kind, name)) = line.split_once(' ') else { continue };
        match kind {
            "step.started" => {
                let at: usize = name[1..].parse().expect("a number");
                for need in &nodes[at].needs {
                    assert!(ended.contains_key(format!("s{need}").as_str()), "{name} began before s{need} ended: {emitted:?}");
                }
            }
            "step.succeeded" | "step.failed" | "step.skipped" => *ended.entry(name).or_default() += 1,
            _ => {}
        }
    }
    assert_eq!(ended.len(), nodes.len(), "{emitted:?}");
    assert!(ended.values().all(|times| *times == 1), "{emitted:?}");
}

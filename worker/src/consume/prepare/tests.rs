//! What becomes of a claimed step, from the row that a claim returns.

use nofx_shared::drivers::Level;
use uuid::Uuid;

use super::*;
use crate::drivers::offered;

/// A claimed step with these fields in place of the defaults.
fn claimed(fields: &Value) -> ClaimedStep {
    let mut row = json!({
        "id": Uuid::now_v7(), "run_id": Uuid::now_v7(), "tenant_id": Uuid::now_v7(), "name": "build", "tool": "bash", "attempt": 1,
        "ready_at": "2026-01-01T00:00:00Z", "token": Uuid::now_v7(), "goal": "ship it", "created_by": "ada@example.com",
        "step_outputs": {"plan": {"status": "succeeded", "outputs": {"files": ["a", "b"], "go": false}}},
    });
    for (name, value) in fields.as_object().expect("an object") {
        row[name] = value.clone();
    }
    ClaimedStep::read(&row.to_string()).expect("a claimed step")
}

fn gate(status: &str) -> Value {
    json!({"id": Uuid::now_v7(), "gate_type": "manual:review", "status": status, "decided_by": "bob@example.com", "reason": "not today"})
}

/// An operator who wants L2, on a host that lacks some levels.
fn offering(lacking: &[(Level, &str)]) -> Isolation {
    let lacking = lacking.iter().map(|(level, why)| (*level, (*why).to_owned())).collect();
    let toolchains = ["node", "rust"].map(|name| name.to_owned().try_into().expect("a name")).into();
    Isolation { floor: Some(Level::L2), lacking, elsewhere: None, network: None, toolchains }
}

/// The outcome that it has before its handler runs, failures included.
fn outcome(fields: &Value) -> Outcome {
    match prepare(&claimed(fields), &offering(&[]), &offered(false)) {
        Ok(Prepared::Outcome(outcome)) => outcome,
        Ok(Prepared::Run(resolved)) => panic!("its handler would run with {}", resolved.inputs),
        Err(failure) => Outcome::Failed(failure),
    }
}

fn resolved(fields: &Value) -> Resolved {
    match prepare(&claimed(fields), &offering(&[]), &offered(false)) {
        Ok(Prepared::Run(resolved)) => resolved,
        Ok(Prepared::Outcome(outcome)) => panic!("no handler would run: {outcome:?}"),
        Err(failure) => panic!("{}", failure.message),
    }
}

fn failed(message: &str) -> Outcome {
    Outcome::Failed(Failure::permanent(message))
}

#[test]
fn a_gate_that_was_not_passed_fails_the_step_with_who_and_why() {
    let rejected = failed("gate manual:review was rejected by bob@example.com: not today");
    assert_eq!(outcome(&json!({"gate": gate("rejected")})), rejected);
    assert_eq!(outcome(&json!({"gate": gate("expired")})), failed("gate manual:review expired without a decision"));
    for status in ["passed", "waived"] {
        resolved(&json!({"gate": gate(status)}));
    }
}

#[test]
fn a_rejection_counts_before_a_condition_that_is_false() {
    let step = json!({"gate": gate("rejected"), "spec": {"if": "steps.plan.outputs.go"}});
    assert!(matches!(outcome(&step), Outcome::Failed(_)));
}

#[test]
fn a_step_whose_condition_is_false_is_skipped_and_nobody_is_asked() {
    let step = json!({"spec": {"if": "steps.plan.outputs.go"}, "hold": {"approval": {"gate_type": "manual:review"}}});
    assert_eq!(outcome(&step), Outcome::Skipped { reason: "`steps.plan.outputs.go` is false".to_owned() });
}

#[test]
fn a_condition_is_evaluated_once() {
    let spec = json!({"if": "steps.plan.outputs.go"});
    resolved(&json!({"spec": spec, "gate": gate("passed")}));
    resolved(&json!({"spec": spec, "parked_outputs": {"timer": "set"}}));
}

#[test]
fn a_condition_must_be_true_or_false() {
    let step = json!({"spec": {"if": "steps.plan.status"}});
    assert_eq!(outcome(&step), failed("`if` must be true or false, but `steps.plan.status` is \"succeeded\""));
}

#[test]
fn a_held_step_waits_or_fails_as_the_database_decided() {
    let target = "http:example.com".to_owned();
    assert_eq!(outcome(&json!({"hold": {"breaker": target}})), Outcome::BreakerOpen { target });
    assert_eq!(outcome(&json!({"hold": {"refuse": "no gate before it"}})), failed("no gate before it"));
    let approval = Outcome::Gate { gate_type: "manual:review".to_owned(), question: None };
    assert_eq!(outcome(&json!({"hold": {"approval": {"gate_type": "manual:review"}}})), approval);
}

#[test]
fn a_list_becomes_children_and_their_outputs_a_list() {
    let spec = json!({"for_each": "steps.plan.outputs.files", "inputs": {"unknown": "${{ steps.none }}"}});
    assert_eq!(outcome(&json!({"spec": spec})), Outcome::Children { items: vec![json!("a"), json!("b")] });
    let no_list = json!({"for_each": "steps.plan.outputs.go"});
    assert_eq!(outcome(&json!({"spec": no_list})), failed("`for_each` must be a list, but `steps.plan.outputs.go` is false"));
    let child = |name: &str, status: &str, outputs: Value| json!({"name": name, "status": status, "outputs": outputs});
    let children = [child("a", "succeeded", json!(1)), child("b", "skipped", Value::Null)];
    assert_eq!(outcome(&json!({"spec": spec, "children": children})), Outcome::Done { outputs: json!([1, null]) });
    let children = [child("a", "succeeded", json!(1)), child("b", "cancelled", Value::Null)];
    assert_eq!(outcome(&json!({"spec": spec, "children": children})), failed("1 of 2 children did not succeed: b"));
}

#[test]
fn what_is_too_much_to_read_or_to_multiply_fails_the_step() {
    let spec = json!({"for_each": "steps.plan.outputs.files"});
    let child = |name: &str| json!({"name": name, "status": "succeeded", "outputs": null, "left_out": true});
    let Outcome::Failed(failure) = outcome(&json!({"spec": spec, "children": [child("a"), child("b")]})) else { panic!("it fails") };
    assert!(!failure.transient && failure.message.contains("more than 4 MiB together"), "{}", failure.message);
    let files = |count: usize| json!({"plan": {"status": "succeeded", "outputs": {"files": vec![1; count]}}});
    let Outcome::Failed(failure) = outcome(&json!({"spec": spec, "step_outputs": files(10_001)})) else { panic!("it fails") };
    assert!(failure.message.contains("10001 items, the limit is 10000"), "{}", failure.message);
    assert_eq!(outcome(&json!({"hold": "later", "step_outputs": null, "spec": {}})), Outcome::Interrupted, "it is claimed again");
    // Null stands for outputs that the database did not read.
    let left_out = json!({"plan": {"status": "succeeded", "outputs": null}});
    let Outcome::Failed(failure) = outcome(&json!({"spec": {"if": "true"}, "step_outputs": left_out})) else { panic!("it fails") };
    assert!(!failure.transient && failure.message.contains("8 MiB together"), "{}", failure.message);
}

#[test]
fn expressions_are_resolved_and_the_environment_is_text() {
    let spec = json!({
        "inputs": {"file": "${{ item }}", "goal": "to ${{ run.goal }}"}, "idempotency_key": "file-${{ index }}",
        "env": {"FILES": "${{ steps.plan.outputs.files }}", "GOAL": "${{ run.goal }}"},
    });
    let resolved = resolved(&json!({"spec": spec, "item": "a", "index": 7}));
    assert_eq!(resolved.inputs, json!({"file": "a", "goal": "to ship it"}));
    assert_eq!(resolved.idempotency_key.as_deref(), Some("file-7"));
    assert_eq!(
        resolved.env.into_iter().collect::<Vec<_>>(),
        [("FILES", r#"["a","b"]"#), ("GOAL", "ship it")].map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn an_expression_without_a_value_fails_the_step() {
    let Outcome::Failed(failure) = outcome(&json!({"spec": {"inputs": {"file": "${{ steps.none.outputs.file }}"}}})) else {
        panic!("it has no value")
    };
    assert!(!failure.transient && failure.message.contains("steps.none.outputs.file"), "{}", failure.message);
}

/// Why the step fails before its handler runs.
fn refusal(fields: &Value) -> String {
    match outcome(fields) {
        Outcome::Failed(failure) if !failure.transient => failure.message,
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn a_step_never_runs_elsewhere_than_its_plan_or_its_tenant_says() {
    let why = "this deployment does not offer the driver vercel-function; it offers worker-container, e2b, modal";
    assert_eq!(refusal(&json!({"tool": "http", "spec": {"driver": "vercel-function"}})), why);
    assert_eq!(refusal(&json!({"tool": "http", "isolation": {"driver": "vercel-function"}})), why);
    let http = claimed(&json!({"tool": "http", "spec": {"driver": "vercel-function"}}));
    assert!(matches!(prepare(&http, &offering(&[]), &offered(true)), Ok(Prepared::Run(_))), "a deployment with a function has its driver");
    let shell = claimed(&json!({"tool": "bash", "spec": {"driver": "vercel-function"}}));
    assert!(prepare(&shell, &offering(&[]), &offered(true)).is_err(), "which runs no programs");
    resolved(&json!({"spec": {"driver": "worker-container"}, "isolation": {"driver": "modal"}}));
    resolved(&json!({"tool": "noop", "isolation": {"driver": "modal"}}));
}

#[test]
fn a_minimum_that_the_driver_cannot_reach_fails_the_step_whoever_set_it() {
    let unreachable = "`min_isolation` of the step: worker-container reaches L3; L4 needs the driver modal or e2b, or a `placement`";
    assert_eq!(refusal(&json!({"spec": {"min_isolation": "L4"}})), unreachable);
    assert_eq!(refusal(&json!({"isolation": {"min_isolation": "L4"}})), unreachable);
    assert_eq!(refusal(&json!({"tool": "gate:unit", "spec": {"min_isolation": "L1"}, "isolation": {"min_isolation": "L4"}})), unreachable);
    resolved(&json!({"isolation": {"min_isolation": "L3"}}));
    resolved(&json!({"tool": "noop", "isolation": {"min_isolation": "L4"}}));
}

#[test]
fn a_level_that_the_host_lacks_fails_the_step_with_what_it_lacks() {
    let isolation = offering(&[(Level::L3, "could not start `bwrap`")]);
    let why =
        |fields: Value| prepare(&claimed(&fields), &isolation, &offered(false)).err().map(|failure| (failure.transient, failure.message));
    let lacks = "`min_isolation` of the step is L3, which the host of this worker does not offer: could not start `bwrap`";
    let elsewhere = format!("{lacks}; name a `driver` that reaches L4, or have the operator set NOFX_L4_DRIVER");
    for tool in ["bash", "gate:unit"] {
        assert_eq!(why(json!({"tool": tool, "spec": {"min_isolation": "L3"}})), Some((false, elsewhere.clone())), "{tool}");
    }
    for tool in ["git:commit", "workspace:write", "codegen"] {
        assert_eq!(why(json!({"tool": tool, "isolation": {"min_isolation": "L3"}})), Some((false, lacks.to_owned())), "{tool}");
    }
    assert_eq!(why(json!({"spec": {"min_isolation": "L2"}})), None);
    assert_eq!(why(json!({"tool": "git:commit", "spec": {"min_isolation": "L4"}})), None, "git has the highest level that there is");
    assert_eq!(why(json!({"tool": "noop", "spec": {"min_isolation": "L3"}})), None, "it runs no program");
}

/// As Fargate's kernel is, with the operator's default.
#[test]
fn where_the_host_lacks_the_operators_minimum_only_programs_of_plans_are_refused() {
    let isolation = offering(&[(Level::L2, "no Landlock"), (Level::L3, "no Landlock")]);
    let why = |fields: Value| prepare(&claimed(&fields), &isolation, &offered(false)).err().map(|failure| failure.message);
    for tool in ["bash", "gate:unit"] {
        let why = why(json!({"tool": tool})).expect("its programs would run here");
        assert!(why.contains("is L2, which the host") && why.contains("NOFX_L4_DRIVER"), "{why}");
    }
    for own in [json!({"driver": "e2b"}), json!({"driver": "modal"}), json!({"placement": "task"})] {
        assert_eq!(why(json!({"tool": "gate:unit", "spec": own})), None, "{own}");
    }
    for tool in ["git:commit", "git:push", "workspace:write", "codegen"] {
        assert_eq!(why(json!({"tool": tool})), None, "{tool} has the best level that there is");
        assert_eq!(why(json!({"tool": tool, "spec": {"min_isolation": "L1"}})), None, "{tool}");
        let demanded = why(json!({"tool": tool, "spec": {"min_isolation": "L2"}})).expect("nobody lowers the minimum of a plan");
        assert!(demanded.contains("is L2, which the host"), "{demanded}");
        assert!(why(json!({"tool": tool, "isolation": {"min_isolation": "L3"}})).is_some(), "{tool}: nor of a tenant");
    }
}

#[test]
fn only_a_step_on_this_machine_that_is_kept_to_the_proxy_has_it() {
    let why =
        |isolation: &Isolation, fields: Value| prepare(&claimed(&fields), isolation, &offered(true)).err().map(|failure| failure.message);
    let proxied = |more: &Value| {
        let mut spec = json!({"resources": {"network": "proxy"}});
        spec.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({"tool": "bash", "spec": spec})
    };
    let here = offering(&[]);
    assert_eq!(why(&here, proxied(&json!({"min_isolation": "L2"}))), None);
    assert_eq!(why(&here, proxied(&json!({"min_isolation": "L3"}))), None);
    for elsewhere in [json!({"driver": "e2b"}), json!({"driver": "modal"}), json!({"placement": "task"})] {
        let why = why(&here, proxied(&elsewhere)).expect("it has no egress proxy");
        assert!(why.contains("only steps on the worker's own machine have an egress proxy"), "{elsewhere}: {why}");
    }
    for floor in [None, Some(Level::L1)] {
        let isolation = Isolation { floor, lacking: Default::default(), elsewhere: None, network: None, toolchains: Default::default() };
        let refused = why(&isolation, proxied(&json!({}))).expect("nothing keeps it to the proxy");
        assert!(refused.contains("`resources.network: proxy` needs L2"), "{refused}");
    }
}

#[test]
fn an_operator_who_isolates_nothing_lifts_no_minimum_of_a_plan_or_a_tenant() {
    let isolation = Isolation { floor: None, lacking: Default::default(), elsewhere: None, network: None, toolchains: Default::default() };
    let why =
        |fields: Value| prepare(&claimed(&fields), &isolation, &offered(false)).err().map(|failure| (failure.transient, failure.message));
    let both = |level: &str| {
        let text = format!(
            "`min_isolation` of the step is {level}, by its plan or its tenant, and NOFX_ISOLATION=none of this worker isolates nothing"
        );
        Some((false, text))
    };
    assert_eq!(why(json!({"spec": {"min_isolation": "L1"}})), both("L1"));
    assert_eq!(why(json!({"spec": {"min_isolation": "L1"}, "isolation": {"min_isolation": "L2"}})), both("L2"));
    for tool in ["gate:unit", "git:push", "workspace:write", "codegen"] {
        assert_eq!(why(json!({"tool": tool, "isolation": {"min_isolation": "L3"}})), both("L3"), "{tool}");
    }
    assert_eq!(why(json!({})), None, "nobody demands anything");
    assert_eq!(why(json!({"tool": "noop", "spec": {"min_isolation": "L3"}})), None, "it runs no program");
    for own in [json!({"driver": "e2b"}), json!({"driver": "modal"}), json!({"placement": "task"})] {
        let (transient, text) = why(json!({"spec": own})).expect("what comes back is unpacked by confined programs");
        assert!(!transient && text.contains("needs a worker that isolates"), "{text}");
    }
}

#[test]
fn a_row_that_no_plan_check_has_seen_fails_its_step() {
    for spec in [
        json!({"driver": "host"}),
        json!({"driver": "vercel-function"}),
        json!({"image": "base"}),
        json!({"image": "-v/:/host"}),
        json!({"resources": {"cpu_s": 0}}),
        json!({"min_isolation": "none"}),
        json!({"inputs": []}),
        json!([]),
        json!(null),
    ] {
        let why = refusal(&json!({"tool": "bash", "spec": spec}));
        assert!(why.contains("row cannot be read") || why.contains("of the step:"), "{why}");
    }
}

#[test]
fn a_step_that_names_a_toolchain_has_it_or_does_not_run() {
    resolved(&json!({"spec": {"toolchains": ["rust"]}}));
    resolved(&json!({"spec": {"toolchains": []}}));
    let why = "`toolchains` of the step, by its plan or its tenant: this worker has no `go`; it has node, rust";
    assert_eq!(refusal(&json!({"spec": {"toolchains": ["rust", "go"]}})), why);
    assert_eq!(refusal(&json!({"isolation": {"toolchains": ["go"]}})), why, "nor with another one than its tenant wants");
    resolved(&json!({"isolation": {"toolchains": ["go"]}, "spec": {"toolchains": ["rust"]}}));
    resolved(&json!({"tool": "noop", "isolation": {"toolchains": ["go"]}}));
    resolved(&json!({"isolation": {"driver": "e2b", "toolchains": ["go"]}}));
    assert!(
        refusal(&json!({"spec": {"driver": "e2b", "toolchains": ["rust"]}}))
            .contains("a machine of the step's own has the tools of its `image`")
    );
    let isolation = Isolation { floor: Some(Level::L1), ..offering(&[]) };
    let weak = prepare(&claimed(&json!({"spec": {"toolchains": ["rust"]}})), &isolation, &offered(false));
    assert!(weak.is_err_and(|failure| failure.message.contains("need L2")), "nothing could hide the others");
}

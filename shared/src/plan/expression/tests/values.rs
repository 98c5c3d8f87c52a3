use serde_json::{Value, json};

use crate::plan::expression::{Invalid, Scope, check};

fn over(steps: &Value) -> Scope {
    Scope::new(&json!({"goal": "ship it"}), steps, &Value::Null, &Value::Null)
}

fn evaluate(source: &str) -> Result<Value, Invalid> {
    over(&json!({})).evaluate(source)
}

#[test]
fn outputs_of_steps_are_read_by_name() {
    let steps = json!({"a": {"outputs": {"n": 2, "list": ["x"]}}, "b c": {"status": "failed"}});
    let mut scope = over(&steps);
    assert_eq!(scope.evaluate("steps.a.outputs.n == 2"), Ok(json!(true)));
    assert_eq!(scope.evaluate("steps.a.outputs.list"), Ok(json!(["x"])));
    assert_eq!(scope.evaluate("steps[\"b c\"].status == 'failed'"), Ok(json!(true)));
    assert_eq!(scope.evaluate("steps.a.outputs"), Ok(json!({"n": 2, "list": ["x"]})), "again, after others");
}

#[test]
fn the_language_is_whole() {
    for (source, value) in [
        ("1 + 2 * 3 - 4 / 2 % 3", json!(5)),
        ("-(1.5) < 0.0 && 2u >= 1u && 'b' > 'a' && !(1 != 1)", json!(true)),
        ("'a' + 'b' + string(1) + string(1.5) + string(true) + string(b'c')", json!("ab11.5truec")),
        ("[1] + [2, 3]", json!([1, 2, 3])),
        ("int('3') + int(2.9) + int(4u) + size('héé') + size([1]) + {'a': 1}.size()", json!(14)),
        ("double('1.5') + double(1)", json!(2.5)),
        ("true ? 'yes' : nothing", json!("yes")),
        ("2 in [1, 2] && 'k' in {'k': 1} && !('z' in {'k': 1})", json!(true)),
        ("{'a': [1, {'b': 2}]}.a[1]['b']", json!(2)),
        ("has(run.goal) && !has(run.nothing)", json!(true)),
        ("[1, 2, 3].map(x, x * 2).filter(x, x > 2)", json!([4, 6])),
        ("[1, 2, 3].map(x, x > 1, x + 1)", json!([3, 4])),
        ("[1, 2].all(x, x > 0) && [1, 2].exists(x, x == 2) && [1, 2].exists_one(x, x == 1)", json!(true)),
        ("{'a': 1}.map(k, k)", json!(["a"])),
        ("[[1, 2], [3]].map(xs, xs.map(x, x + size(xs)))", json!([[3, 4], [4]])),
        ("'v1.2'.matches('^v[0-9]+\\\\.[0-9]+$') && !matches('x', 'y') && 'né'.matches('^\\\\w+$')", json!(true)),
        ("'abc'.contains('b') && 'abc'.startsWith('a') && 'abc'.endsWith('c')", json!(true)),
        ("type(1) == int && type('') == string", json!(true)),
        ("optional.of(1).orValue(2) + optional.none().orValue(2)", json!(3)),
        ("nothing.at.all || true", json!(true)),
        ("[0, 1].exists(x, 1 / x == 1)", json!(true)),
        ("run.goal", json!("ship it")),
    ] {
        assert_eq!(evaluate(source), Ok(value), "{source}");
    }
}

#[test]
fn what_has_no_value_says_which_expression_and_why() {
    for (source, why) in [
        ("run.nothing", "No such key: nothing"),
        ("1 / 0", "ivision by zero"),
        ("'a'.matches('(')", "is not a regular expression"),
        ("'a'.matches(1)", "takes a text and a regular expression, not (string, int)"),
        ("[1][0.5]", "an index is a whole number"),
    ] {
        let error = evaluate(source).expect_err(source).to_string();
        assert!(error.starts_with(&format!("`{source}`")) && error.contains(why), "{error}");
    }
}

#[test]
fn the_data_in_an_error_is_cut() {
    let mut scope = over(&json!({"a": "x".repeat(100_000)}));
    let error = scope.evaluate("steps.a + 1").expect_err("no sum").to_string();
    assert!(error.contains("xxx") && error.len() < 600, "{} bytes", error.len());
}

#[test]
fn a_value_is_not_nested_deeper_than_readers_take() {
    let nest = |count: usize, brackets: usize| {
        let step = format!(".map(x, {}x{})", "[".repeat(brackets), "]".repeat(brackets));
        evaluate(&format!("[1]{}", step.repeat(count)))
    };
    assert!(nest(3, 20).is_ok());
    assert!(nest(4, 20).expect_err("81 levels").to_string().contains("nested deeper than 64"));
}

#[test]
fn no_expression_overflows_the_stack() {
    let small = |work: fn()| std::thread::Builder::new().stack_size(256 << 10).spawn(work).expect("a thread").join().expect("no panic");
    small(|| {
        // What the limits allow: brackets that close and that do not, and a tree as deep as the text is long.
        assert_eq!(evaluate(&format!("{}1{}", "[".repeat(38), "]".repeat(38))).map(|value| value.is_array()), Ok(true));
        for source in ["){", ")[", "({f(()f(A{A{{for{?a:1}("] {
            assert!(check(&source.repeat(1900 / source.len())).is_err(), "{source}");
        }
        for source in ["(", "[", "{1:", "f(", "a[", "!", "-"] {
            assert!(check(&source.repeat(40)).is_err(), "{source}");
        }
        assert_eq!(evaluate(&format!("1{}", "+1".repeat(990))), Ok(json!(991)));
        for source in [".x", "[0]", ".f()", ".map(x,x)", "<1"] {
            let deep = format!("run{}", source.repeat(1990 / source.len()));
            assert!(evaluate(&deep).is_err(), "{source}: it has no value");
        }
    });
}

//! Expressions that would take all memory, or never end. Each is stopped by its budget. A machine may be slow; the deadline only tells an
//! expression that ends from one that does not.

use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::{Value, json};

use crate::plan::expression::{Budget, Evaluator, Invalid, Names};

const DEADLINE: Duration = Duration::from_secs(120);

/// Evaluates over `items`, 20,000 numbers, and `text`, 256 KiB: as much as the outputs of a step may have.
fn evaluate(source: &str, budget: Budget) -> Result<Value, Invalid> {
    let (sender, receiver) = channel();
    let owned = source.to_owned();
    std::thread::spawn(move || {
        let (items, text) = (json!((0..20_000).collect::<Vec<u32>>()), json!("a".repeat(256 << 10)));
        let names = Names::new(&[("items", &items), ("text", &text), ("run", &json!({"goal": "x"}))]);
        let mut left = budget;
        let value = Evaluator::default().evaluate(&owned, &names, &mut left);
        let _ = sender.send(value);
    });
    receiver.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("it does not end: {source}"))
}

fn is_stopped(source: &str) {
    let found = evaluate(source, Budget::FILTER);
    assert_eq!(found, Err(Invalid::TooCostly(source.to_owned())), "{source}");
}

#[test]
fn macros_are_refused_before_they_are_evaluated() {
    let nested =
        |list: &str, name: &str, depth: usize| (0..depth).fold("true".to_owned(), |inner, at| format!("{list}.{name}(x{at}, {inner})"));
    for source in [nested("[1,1,1,1,1,1,1,1]", "all", 12), nested("[1,1]", "map", 38)] {
        let error = evaluate(&source, Budget::STEP).expect_err("refused").to_string();
        assert!(error.contains("inside of each other, the limit is 4"), "{error}");
    }
    let doubling = format!("['x']{}", ".map(a, a + a)".repeat(100));
    assert!(evaluate(&doubling, Budget::STEP).expect_err("refused").to_string().contains("100 macros"));
}

#[test]
fn what_doubles_is_stopped() {
    for (start, step) in
        [("'x'", "a+a+a+a+a+a+a+a"), ("[1]", "a+a+a+a+a+a+a+a"), ("1", "[a,a,a,a,a,a,a,a]"), ("b'x'", "[a]+[a]+[a]+[a]+[a]+[a]+[a]+[a]")]
    {
        is_stopped(&format!("[{start}]{}", format!(".map(a, {step})").repeat(16)));
    }
    is_stopped(&format!("[1]{}", ".map(a, {'a': a, 'b': a, 'c': a, 'd': a, 'e': a, 'f': a, 'g': a})".repeat(16)));
    is_stopped(&format!("[optional.of(1)]{}", ".map(a, optional.of([a, a, a, a, a, a, a, a]))".repeat(16)));
}

#[test]
fn lists_in_lists_are_stopped() {
    for body in ["true", "x + y + z >= 0", "z.nothing == 1", "items[z] == z || true"] {
        is_stopped(&format!("items.all(x, items.all(y, items.all(z, {body})))"));
    }
    is_stopped("items.exists(x, items.exists(y, items.exists_one(z, x + y + z == -1)))");
    is_stopped("items.map(x, items.filter(y, y != x))");
    let short = format!("[{}]", vec!["1"; 100].join(","));
    is_stopped(&format!("{short}.all(a, {short}.all(b, {short}.all(c, {short}.all(d, true))))"));
}

#[test]
fn what_takes_errors_does_not_take_the_end_of_the_budget() {
    let costly = "items.exists(x, items.exists(y, x + y < 0))";
    for source in [
        format!("{costly} || true"),
        format!("!({costly} && false)"),
        format!("[1, 2].exists(a, a == 2 || {costly})"),
        format!("[1, 2].exists(a, {costly} || a == 2)"),
        format!("true || ({costly} ? true : true) || {costly} || [{costly}].all(x, true)").replacen("true || ", "false || ", 1),
    ] {
        is_stopped(&source);
    }
}

#[test]
fn values_that_are_used_as_a_whole_count_as_a_whole() {
    for source in [
        "items.all(x, items == items)",
        "items.all(x, !(-x - 1 in items))",
        "items.all(x, items + [x] != [])",
        "items.all(x, {'a': items}.a[0] == 0)",
        "items.all(x, [items, items][0][0] == 0)",
        "items.all(x, optional.of(items).hasValue())",
        "items.all(x, items < items)",
        "items.all(x, items[0.5] == items[1.5])",
        "items.all(x, items[items] == 1)",
        "items.map(x, text)",
        "items.all(x, size(text) > x)",
        "items.all(x, text.size() > x)",
        "items.all(x, !text.contains('b'))",
        "items.all(x, 'a'.contains(text) == false)",
        "items.all(x, text == text)",
        "items.all(x, text + 'b' > text)",
        "items.all(x, string(bytes(text)) == text)",
        "items.all(x, text in [text])",
        "items.all(x, {text: x}[text] == x)",
        "items.all(x, int(text) == 1)",
    ] {
        is_stopped(source);
    }
    is_stopped(&format!("items.map(x, '{}')", "y".repeat(1900)));
    is_stopped(&format!("items.all(x, run.goal{})", ".a".repeat(900)));
    is_stopped(&format!("items.all(x, has(run.goal{}))", ".a".repeat(900)));
}

#[test]
fn regular_expressions_are_limited() {
    let error = evaluate("'a'.matches('(a{1000}){1000}')", Budget::STEP).expect_err("too large").to_string();
    assert!(error.contains("too large when it is compiled"), "{error}");
    let long = format!("'a'.matches('{}')", "a".repeat(1001));
    assert!(evaluate(&long, Budget::STEP).expect_err("too long").to_string().contains("1001 bytes, the limit is 1000"));
    is_stopped(&format!("'a'.matches('(?i){}')", "\\\\pL".repeat(110)));
    for source in [
        "text.matches('(a?){300}a{300}b')",
        "text.matches('(.*)(.*)(.*)(.*)(.*)(.*)[^a]')",
        "items.all(x, !'aaa'.matches('(a{50}){50}' + string(x)))",
        "items.all(x, !'aaa'.matches('\\\\w{5}' + string(x)))",
        "items.all(x, 'aaa'.matches(string(x) + '((((('))",
        "items.all(x, !text.matches('b$'))",
        "items.all(x, !text.matches(text))",
    ] {
        is_stopped(source);
    }
}

#[test]
fn what_people_write_is_far_within_the_budget() {
    for source in [
        "run.goal == 'x'",
        "size(items) > 0 && text.startsWith('a')",
        "items.filter(x, x % 2 == 0).map(x, 'file-' + string(x)).size() == 10000",
        "items.all(x, size(items) > x)",
        "items.exists(x, x == 19999)",
        "[1, 2, 3].map(x, [4, 5].map(y, {'x': x, 'y': y})).size() == 3",
        "text.matches('^a+$')",
        "'v1.2.3'.matches('^v\\\\d+\\\\.\\\\d+\\\\.\\\\d+$')",
    ] {
        assert!(evaluate(source, Budget::STEP).is_ok(), "{source}: {:?}", evaluate(source, Budget::STEP));
    }
}

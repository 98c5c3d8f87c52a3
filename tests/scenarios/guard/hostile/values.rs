//! What is sent, and how much of it.

use serde_json::{Value, json};

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({"a": inner}) })
}

/// What nobody expects, of each type.
pub(super) fn hostile() -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(i64::MAX),
        json!(""),
        json!("x"),
        json!("\u{0}"),
        json!("'; drop table nofx.run; --"),
        json!("${{ run.id }}"),
        json!("\u{202e}\u{1f4a5}\n"),
        json!("infinity"),
        json!("NaN"),
        json!("y".repeat(3_000_000)),
        json!([]),
        json!([null]),
        json!(["x", 1, {}]),
        json!({}),
        json!({"a": 1}),
        json!([[0, 0]]),
        nested(65),
        nested(120),
        nested(1000),
        Value::Array(vec![json!("x"); 20_000]),
    ];
    // No compression makes it fit into an index.
    values.push((0..2000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect::<String>().into());
    values
}

/// The places of a value, as JSON pointers: of itself, and of all that is in it.
pub(super) fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| places(item, &format!("{at}/{n}"), found)),
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| places(field, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// As many as are tried, of all combinations: Fisher and Yates, with a generator of a fixed seed.
#[expect(clippy::disallowed_methods, reason = "a flag makes it long")]
pub(super) fn choose<T>(mut all: Vec<T>) -> Vec<T> {
    let most = if std::env::var_os("NOFX_TEST_LONG").is_some() { 10_000 } else { 500 };
    assert!(all.len() > 500, "there are only {} combinations", all.len());
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for at in (1..all.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all.swap(at, usize::try_from(state >> 33).expect("it fits") % (at + 1));
    }
    all.truncate(most);
    all
}

//! A tree that charges has the value, or the error, of the tree that it is made from: by generated expressions.

use cel::common::value::CowVal;
use cel::{ExecutionError, IdedExpr};
use serde_json::json;

use crate::plan::expression::charge::{Charge, set_left};
use crate::plan::expression::metered::metered;
use crate::plan::expression::{Names, parsed};

const EXPRESSIONS: u64 = 1500;

/// A sequence of numbers that is the same each time (Knuth's MMIX).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }

    fn of(&mut self, from: &[&str]) -> String {
        from[self.below(from.len())].to_owned()
    }
}

const ATOMS: &[&str] = &[
    "1",
    "0",
    "-3",
    "2u",
    "1.5",
    "2.0",
    "'a'",
    "'héllo'",
    "'a text that has more than thirty-two bytes'",
    "b'x'",
    "true",
    "false",
    "null",
    "[]",
    "[1, 2, 3]",
    "['a', 1, null]",
    "{}",
    "{'k': 1}",
    "{1: 'a'}",
    "[[1], [2, 3]]",
    "item",
    "index",
    "run.goal",
    "steps.a.outputs.list",
    "steps['a']",
    "steps",
    "run.nothing",
    "int",
    "optional.none()",
    "optional.of(2)",
    "x",
    "y",
];
const OPERATORS: &[&str] = &["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||"];
const FUNCTIONS: &[&str] =
    &["size", "string", "int", "double", "uint", "bytes", "bool", "type", "dyn", "optional.of", "optional.ofNonZeroValue", "no_such"];
const METHODS: &[&str] = &["contains", "startsWith", "endsWith", "orValue", "or", "no_such"];
const NAMES: &[&str] = &["x", "y", "steps"];

fn expression(random: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return random.of(ATOMS);
    }
    let part = |random: &mut Random| expression(random, depth - 1);
    match random.below(14) {
        0..=3 => format!("({} {} {})", part(random), random.of(OPERATORS), part(random)),
        4 => format!("({} ? {} : {})", part(random), part(random), part(random)),
        5 => format!("{}({})", random.of(FUNCTIONS), part(random)),
        6 => format!("({}).{}({})", part(random), random.of(METHODS), part(random)),
        7 => format!("({})[{}]", part(random), part(random)),
        8 => format!("({}).{}", part(random), random.of(&["k", "a", "size()", "hasValue()", "value()"])),
        9 => format!("has(({}).k)", part(random)),
        10 => format!("[{}, {}]", part(random), part(random)),
        11 => format!("{{{}: {}}}", part(random), part(random)),
        12 => format!("!({})", part(random)),
        _ => {
            let name = random.of(&["all", "exists", "exists_one", "map", "filter"]);
            format!("({}).{name}({}, {})", part(random), random.of(NAMES), part(random))
        }
    }
}

fn value(tree: &IdedExpr, names: &Names) -> Result<cel::Value, ExecutionError> {
    cel::Value::resolve_val(tree, &names.0).and_then(|value: CowVal<'_, '_>| cel::Value::try_from(value.as_ref()))
}

#[test]
fn charging_changes_no_value() {
    let steps = json!({"a": {"outputs": {"list": ["x", "a"]}}});
    let (run, item, index) = (json!({"goal": "ship it"}), json!({"k": ["v"]}), json!(7));
    let names = Names::new(&[("run", &run), ("steps", &steps), ("item", &item), ("index", &index)]);
    let mut random = Random(1);
    let mut with_value = 0;
    for _ in 0..EXPRESSIONS {
        let depth = 1 + random.below(3);
        let source = expression(&mut random, depth);
        let Ok((plain, charging)) = parsed(&source, |tree| {
            set_left(u64::MAX);
            (value(&tree, &names), value(&metered(tree.clone(), Charge::Made), &names))
        }) else {
            continue;
        };
        with_value += u64::from(plain.is_ok());
        // The one error that is another: it would have a copy of the list in it.
        if charging.as_ref().is_err_and(|error| error.to_string().contains("an index is a whole number")) {
            assert!(plain.is_err(), "{source}");
            continue;
        }
        assert_eq!(format!("{plain:?}"), format!("{charging:?}"), "{source}");
    }
    assert!(with_value > EXPRESSIONS / 20, "only {with_value} have a value");
}

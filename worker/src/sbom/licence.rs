//! What a package says of its licence.

use serde::Deserialize;
use serde_json::{Value, json};

/// Longest text, in characters: some packages have the whole licence here.
const LENGTH: usize = 200;

/// The field `license` or `licenses` of a package.json: one text, one object, or a list of them (npm's older forms).
#[derive(Deserialize)]
#[serde(untagged, expecting = "a licence is a text, an object with `type`, or a list of them")]
pub(super) enum Licence {
    Text(String),
    Object {
        #[serde(rename = "type")]
        kind: Option<String>,
    },
    List(Vec<Licence>),
}

impl Licence {
    /// The licences by name.
    pub(super) fn names(self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text],
            Self::Object { kind } => kind.into_iter().collect(),
            Self::List(list) => list.into_iter().flat_map(Self::names).collect(),
        }
    }
}

pub(super) fn is_expression(text: &str) -> bool {
    spdx::Expression::parse(text).is_ok()
}

/// The text in one line, not too long; none when it says nothing.
pub(super) fn clean(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let line: String = line.chars().filter(|c| !c.is_control()).take(LENGTH).collect();
    (!matches!(line.to_ascii_uppercase().as_str(), "" | "UNKNOWN" | "NONE")).then_some(line)
}

/// The `licenses` of a component: one SPDX expression, or names; CycloneDX allows no mixture.
pub(super) fn choice<'a>(licences: impl ExactSizeIterator<Item = &'a String> + Clone) -> Vec<Value> {
    match licences.clone().next() {
        Some(one) if licences.len() == 1 && is_expression(one) => vec![json!({"expression": one})],
        _ => licences.map(|name| json!({"license": {"name": name}})).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::{Licence, choice, clean};

    #[test]
    fn the_forms_of_npm_are_read() {
        let names = |value| serde_json::from_value::<Licence>(value).map(Licence::names);
        assert_eq!(names(json!("MIT")).expect("read"), ["MIT"]);
        assert_eq!(names(json!([{"type": "MIT", "url": "x"}, "ISC", {}])).expect("read"), ["MIT", "ISC"]);
        assert!(names(json!(5)).is_err_and(|error| error.to_string().contains("a licence is")));
    }

    #[test]
    fn one_expression_or_names() {
        let of = |names: &[&str]| choice(names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>().iter());
        assert_eq!(of(&["MIT OR Apache-2.0"]), [json!({"expression": "MIT OR Apache-2.0"})]);
        assert_eq!(of(&["see LICENSE"]), [json!({"license": {"name": "see LICENSE"}})]);
        assert_eq!(of(&["ISC", "MIT"]), [json!({"license": {"name": "ISC"}}), json!({"license": {"name": "MIT"}})]);
        assert_eq!((clean("UNKNOWN"), clean("\n  A\u{7} licence \nmore")), (None, Some("A licence".to_owned())));
        assert_eq!(clean(&"x".repeat(9999)).map(|text| text.len()), Some(200));
    }
}

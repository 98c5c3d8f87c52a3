//! The name of a toolchain of a worker.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Without `=` and `:`, which separate names and folders in `NOFX_TOOLCHAINS`. The database has the same (`set_isolation`).
const PATTERN: &str = "^[a-z][a-z0-9+._-]{0,39}$";
/// Most that a step or a tenant names.
pub const MAX_TOOLCHAINS: usize = 16;

/// A toolchain, as the operator of a worker names its folders: `rust`, `node`, `python`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Toolchain(String);

/// A text that is no name of a toolchain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a toolchain has a name of 1 to 40 of `a-z 0-9 + . _ -`, which begins with a letter")]
pub struct InvalidToolchain;

impl Toolchain {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Toolchain {
    type Error = InvalidToolchain;

    fn try_from(text: String) -> Result<Self, InvalidToolchain> {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+._-".contains(&byte);
        let is_name = (1..=40).contains(&text.len()) && text.as_bytes()[0].is_ascii_lowercase() && text.bytes().all(is_allowed);
        if is_name { Ok(Self(text)) } else { Err(InvalidToolchain) }
    }
}

impl From<Toolchain> for String {
    fn from(name: Toolchain) -> Self {
        name.0
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Toolchain {
    fn schema_name() -> Cow<'static, str> {
        "Toolchain".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": PATTERN, "description": "The name of a toolchain of a worker."})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Toolchain;

    #[test]
    fn a_toolchain_is_a_name_and_no_path() {
        for good in ["rust", "node", "c++", "python3.13", "a", &"a".repeat(40)] {
            assert_eq!(serde_json::from_value::<Toolchain>(json!(good)).expect(good).as_str(), good);
        }
        for wrong in ["", "Rust", "3", "../x", "/usr", "a b", "a=b", "a:b", "é", "a\n", &"a".repeat(41)] {
            assert!(serde_json::from_value::<Toolchain>(json!(wrong)).is_err(), "{wrong}");
        }
        for wrong in [json!(null), json!(1), json!(["rust"])] {
            assert!(serde_json::from_value::<Toolchain>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}

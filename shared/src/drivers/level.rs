//! How far a process is from everything that is not its own.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An isolation level; a higher one has everything of the lower ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub enum Level {
    /// A user of its own, `no_new_privs`, seccomp, rlimits, a session of its own.
    L1,
    /// And Landlock: files, TCP ports, signals and abstract sockets by rule.
    L2,
    /// And namespaces of its own, by bubblewrap.
    L3,
    /// A virtual machine of its own.
    L4,
}

impl Level {
    /// From the lowest to the highest.
    pub const ALL: [Self; 4] = [Self::L1, Self::L2, Self::L3, Self::L4];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::L1 => "L1",
            Self::L2 => "L2",
            Self::L3 => "L3",
            Self::L4 => "L4",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no isolation level; possible: L1, L2, L3, L4")]
pub struct UnknownLevel(pub String);

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        Self::ALL.into_iter().find(|level| level.as_str() == text).ok_or_else(|| UnknownLevel(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn levels_are_ordered_and_have_one_spelling() {
        assert!(Level::ALL.is_sorted() && Level::L1 < Level::L2 && Level::L3 < Level::L4);
        for level in Level::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
            assert_eq!(serde_json::to_value(level).expect("JSON"), level.as_str());
            assert_eq!(serde_json::from_value::<Level>(level.as_str().into()).expect("a level"), level);
        }
    }

    #[test]
    fn another_text_is_refused_with_what_is_possible() {
        for text in ["", "l2", "L0", "L5", " L2", "2"] {
            let error = text.parse::<Level>().expect_err(text).to_string();
            assert_eq!(error, format!("`{text}` is no isolation level; possible: L1, L2, L3, L4"));
            assert!(serde_json::from_value::<Level>(text.into()).is_err(), "{text}");
        }
    }
}

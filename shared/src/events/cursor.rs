use std::fmt;
use std::str::FromStr;

/// A place in the event log: transaction, then id. See migration 0010.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub tx: i64,
    pub id: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.tx, self.id)
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (tx, id) = text.split_once('-')?;
            Some(Self { tx: tx.parse().ok()?, id: id.parse().ok()? })
        };
        parse().ok_or("invalid cursor; use the id of an event, such as 1234-56")
    }
}

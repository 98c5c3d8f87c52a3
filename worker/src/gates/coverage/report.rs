//! A coverage report of any format: how often each line of each file ran.

use std::collections::BTreeMap;

/// How often each line ran, by line number. All other lines are not coverable.
pub(super) type Lines = BTreeMap<u32, u64>;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// By the path that the report gives.
    pub files: BTreeMap<String, Lines>,
    /// Folders that the paths may be relative to.
    pub roots: Vec<String>,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub(super) struct Unreadable(String);

impl Unreadable {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl Report {
    pub(super) fn file(&mut self, path: &str) -> &mut Lines {
        self.files.entry(path.replace('\\', "/")).or_default()
    }

    /// The hits of a line that is listed twice are summed.
    pub(super) fn hit(&mut self, path: &str, line: u32, hits: u64) {
        let sum = self.file(path).entry(line).or_default();
        *sum = sum.saturating_add(hits);
    }

    /// The report, unless it is incomplete or names no file.
    pub(super) fn or_empty(self, is_whole: bool, otherwise: &str) -> Result<Self, Unreadable> {
        if !is_whole {
            return Err(Unreadable::new(otherwise));
        }
        if self.files.is_empty() { Err(Unreadable::new("the report names no files")) } else { Ok(self) }
    }
}

/// The number in an attribute.
pub(super) fn number<T: std::str::FromStr>(node: roxmltree::Node<'_, '_>, name: &str) -> Result<T, Unreadable> {
    let text = node.attribute(name).unwrap_or_default();
    text.parse().map_err(|_| Unreadable::new(format!("<{}> has `{text}` for {name}", node.tag_name().name())))
}

//! How a run is shown, as its URL says.

use crate::ui::url::query;

/// How a run is shown: the part of its URL after the `?`.
#[derive(Clone, Default)]
pub(super) struct Shown {
    pub view: String,
    /// Name of the step that is open.
    pub step: Option<String>,
    pub hides_idle: bool,
    /// Names of `for_each` steps whose children are shown.
    pub unfolded: Vec<String>,
}

impl Shown {
    /// The same with another step open.
    pub(super) fn link(&self, step: Option<&str>) -> String {
        self.to_query(&self.view, step, self.hides_idle)
    }

    /// The same with the children of a step shown, or hidden again; and the label of that link.
    pub(super) fn toggled(&self, name: &str) -> (&'static str, Self) {
        let mut other = self.clone();
        if self.unfolded.iter().any(|unfolded| unfolded == name) {
            other.unfolded.retain(|unfolded| unfolded != name);
            return ("Hide", other);
        }
        other.unfolded.push(name.to_owned());
        ("Show", other)
    }

    pub(super) fn to_query(&self, view: &str, step: Option<&str>, hides_idle: bool) -> String {
        let fixed = [("view", view), ("step", step.unwrap_or_default()), ("idle", if hides_idle { "hide" } else { "" })];
        format!("?{}", query(fixed.into_iter().chain(self.unfolded.iter().map(|name| ("open", name.as_str())))))
    }
}

//! The filters of the list of runs, in its URL and in the form that changes several runs.

use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use serde_json::json;

use crate::runs::list::Filter;
use crate::ui::url;

/// The filters, exactly as the URL has them, so every view can be bookmarked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct Query {
    pub status: String,
    pub goal: String,
    pub tool: String,
    /// 1h, 24h, 7d, 30d
    pub since: String,
    /// 1: runs that wait for the viewer.
    pub mine: String,
    pub cursor: String,
}

impl Query {
    pub(super) fn filter(&self) -> Filter {
        let text = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        Filter {
            status: serde_json::from_value(json!(self.status)).ok(),
            goal: text(&self.goal),
            tool: text(&self.tool),
            created_after: self.after(),
            created_before: None,
            needs_approval: None,
            waits_for_me: (self.mine == "1").then_some(true),
        }
    }

    fn after(&self) -> Option<DateTime<Utc>> {
        let length = match self.since.as_str() {
            "1h" => Duration::hours(1),
            "24h" => Duration::hours(24),
            "7d" => Duration::days(7),
            "30d" => Duration::days(30),
            _ => return None,
        };
        Some(Utc::now() - length)
    }

    /// Everything except the start of the page.
    pub(super) fn pairs(&self) -> [(&'static str, String); 5] {
        [("status", &self.status), ("goal", &self.goal), ("tool", &self.tool), ("since", &self.since), ("mine", &self.mine)]
            .map(|(key, value)| (key, value.clone()))
    }

    pub(super) fn url(&self, change: Option<(&str, &str)>) -> String {
        let pairs = self.pairs();
        let pairs = pairs.iter().map(|(key, value)| match change {
            Some((changed, value)) if changed == *key => (*key, value),
            _ => (*key, value.as_str()),
        });
        format!("/ui/runs?{}", url::query(pairs))
    }
}

use maud::{Markup, html};

/// A status: a sign and a word, so that it does not depend on its colour.
pub(in crate::ui) fn badge(status: &str) -> Markup {
    html! { span.badge data-status=(status) { span.sign aria-hidden="true" { (sign(status)) } (status.replace('_', " ")) } }
}

fn sign(status: &str) -> &'static str {
    match status {
        "succeeded" | "passed" | "pass" | "closed" | "waived" | "approve" => "✓",
        "failed" | "timed_out" | "fail" | "expired" | "open" | "reject" => "✕",
        "running" | "cancelling" => "●",
        "waiting" | "paused" | "half_open" => "◆",
        "cancelled" | "skipped" => "⊘",
        _ => "○",
    }
}

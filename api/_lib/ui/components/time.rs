use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};

/// An instant: in the viewer's zone when a script runs, in UTC otherwise; exactly on hover.
pub(in crate::ui) fn when(at: DateTime<Utc>) -> Markup {
    let exact = at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let near = if Utc::now().date_naive() == at.date_naive() { "%H:%M:%S UTC" } else { "%Y-%m-%d %H:%M UTC" };
    html! { time datetime=(exact) title=(exact) { (at.format(near)) } }
}

/// A length of time for people.
pub(in crate::ui) fn duration(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{} ms", ms.max(0)),
        1_000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
        3_600_000..86_400_000 => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
        _ => format!("{} d {} h", ms / 86_400_000, ms % 86_400_000 / 3_600_000),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn lengths_are_said_in_two_parts_at_most() {
        let said = [0, 12, 1_250, 61_000, 3_723_000, 90_000_000].map(duration);
        assert_eq!(said, ["0 ms", "12 ms", "1.2 s", "1 min 1 s", "1 h 2 min", "1 d 1 h"]);
    }
}

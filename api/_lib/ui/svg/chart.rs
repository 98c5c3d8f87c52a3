//! Columns by the minute, with a value on hover.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

const HEIGHT: f64 = 80.0;

/// One column.
pub(in crate::ui) struct Minute {
    pub at: DateTime<Utc>,
    pub value: f64,
    /// As people read it.
    pub text: String,
}

/// The drawing; `name` says what is shown.
pub(in crate::ui) fn chart(name: &str, minutes: &[Minute]) -> Markup {
    let most = minutes.iter().map(|minute| minute.value).fold(0.0, f64::max);
    let highest = minutes.iter().find(|minute| minute.value >= most).map(|minute| minute.text.as_str()).unwrap_or_default();
    html! {
        figure.chart {
            figcaption { (name) span.hint { "highest " (highest) } }
            svg viewBox={ "0 0 " (minutes.len() * 10) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label={ (name) ", highest " (highest) } {
                @for (n, minute) in minutes.iter().enumerate() {
                    @let height = if most > 0.0 { (minute.value / most * HEIGHT).max(if minute.value > 0.0 { 1.0 } else { 0.0 }) } else { 0.0 };
                    rect x=(n * 10 + 1) width="8" y=(format!("{:.1}", HEIGHT - height)) height=(format!("{height:.1}")) {
                        title { (minute.at.format("%H:%M UTC")) ": " (minute.text) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::svg::snapshot::same;

    #[test]
    fn columns_are_as_high_as_their_share_of_the_highest() {
        let at = |n: i64| DateTime::from_timestamp(1_700_000_000 + n * 60, 0).expect("an instant");
        let minutes: Vec<Minute> =
            [0.0, 2.0, 1.0].iter().zip(0..).map(|(value, n)| Minute { at: at(n), value: *value, text: format!("{value} s") }).collect();
        same("chart.svg", &chart("Latency", &minutes));
    }
}

//! Who did what when: a row for each step, a lane in it for each attempt, and in that what it waited for and how it ran.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::scale::{Scale, WIDTH};
use crate::ui::components::duration;

/// Height of a row's drawing: the same however many attempts share it, so that nothing below moves.
const HEIGHT: i64 = 24;
/// Minimum width, so that instant attempts stay visible.
const MIN_WIDTH: i64 = 24;

/// What a step did for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ui) enum Kind {
    /// Ready, and not claimed yet.
    Queue,
    /// Waited for people.
    Gate,
    /// Waited for a retry, a timer or its children.
    Wait,
    Run,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Self::Queue => "q",
            Self::Gate => "g",
            Self::Wait => "w",
            Self::Run => "r",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Queue => "queued",
            Self::Gate => "waited at a gate",
            Self::Wait => "waited",
            Self::Run => "ran",
        }
    }
}

pub(in crate::ui) struct Segment {
    pub kind: Kind,
    pub from: DateTime<Utc>,
    /// None: it has not ended.
    pub to: Option<DateTime<Utc>>,
}

/// An attempt.
pub(in crate::ui) struct Lane {
    /// How it ended, or the step's status.
    pub status: String,
    pub segments: Vec<Segment>,
}

pub(in crate::ui) struct Row {
    pub name: String,
    pub tool: String,
    pub status: String,
    /// Where a click leads.
    pub link: String,
    /// Whether it is a child of the row above that has none.
    pub is_child: bool,
    /// How many of its children have finished, and how many there are.
    pub folded: Option<(usize, usize)>,
    pub is_selected: bool,
    pub lanes: Vec<Lane>,
    pub took_ms: Option<i64>,
}

/// The drawing, with its axis.
pub(in crate::ui) fn waterfall(rows: &[Row], scale: &Scale, now: DateTime<Utc>) -> Markup {
    html! {
        div.waterfall #waterfall data-length=(scale.length_ms()) {
            div.axis aria-hidden="true" {
                span.name { "Step" }
                svg.bars viewBox={ "0 0 " (WIDTH) " 24" } preserveAspectRatio="none" {
                    @for (x, _) in scale.marks() { line.mark x1=(x) x2=(x) y1="16" y2="24" {} }
                }
                span.marks { @for (_, ms) in scale.marks() { span { (duration(ms)) } } }
                span.took { "Duration" }
            }
            @for row in rows {
                a.row.child[row.is_child] href=(row.link) data-step=(row.name) data-status=(row.status) aria-current=[row.is_selected.then_some("true")] {
                    span.name title={ (row.name) " · " (row.tool) } {
                        span.sign aria-hidden="true" {}
                        (row.name)
                        @if let Some((over, all)) = row.folded { span.folded { (over) "/" (all) } }
                        span.unseen { " " (row.status.replace('_', " ")) }
                    }
                    (bars(row, scale, now))
                    span.took { (row.took_ms.map(duration).unwrap_or_default()) }
                }
            }
        }
    }
}

fn bars(row: &Row, scale: &Scale, now: DateTime<Utc>) -> Markup {
    let height = HEIGHT / i64::try_from(row.lanes.len().max(1)).unwrap_or(HEIGHT);
    html! {
        svg.bars viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" aria-hidden="true" {
            @for (n, lane) in (0_i64..).zip(&row.lanes) {
                @for segment in &lane.segments {
                    @let x = scale.x(segment.from);
                    @let width = (scale.x(segment.to.unwrap_or(now)) - x).max(MIN_WIDTH);
                    rect class=(segment.kind.class()) data-status=(lane.status) data-open[segment.to.is_none()]
                        x=(x) y=(n * height + 1) width=(width) height=((height - 2).max(2)) {
                        title { (title(row, n + 1, segment, now)) }
                    }
                }
            }
            @if let Some(x) = scale.now_x() { line.now x1=(x) x2=(x) y1="0" y2=(HEIGHT) {} }
        }
    }
}

fn title(row: &Row, attempt: i64, segment: &Segment, now: DateTime<Utc>) -> String {
    let took = duration((segment.to.unwrap_or(now) - segment.from).num_milliseconds());
    let so_far = if segment.to.is_none() { " so far" } else { "" };
    let which = if row.lanes.len() > 1 { format!(", attempt {attempt}") } else { String::new() };
    format!("{}{which}: {} for {took}{so_far}", row.name, segment.kind.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::svg::snapshot::same;

    #[test]
    fn queue_attempts_retries_and_gates_are_told_apart() {
        let at = |ms: i64| DateTime::from_timestamp_millis(1_700_000_000_000 + ms).expect("an instant");
        let segment = |kind, from, to: Option<i64>| Segment { kind, from: at(from), to: to.map(at) };
        let row = |name: &str, status: &str, lanes| Row {
            name: name.to_owned(),
            tool: "bash".to_owned(),
            status: status.to_owned(),
            link: format!("?step={name}"),
            is_child: false,
            folded: None,
            is_selected: name == "test",
            lanes,
            took_ms: Some(400),
        };
        let lane = |status: &str, segments| Lane { status: status.to_owned(), segments };
        let rows = [
            row(
                "build <b>",
                "succeeded",
                vec![
                    lane("failed", vec![segment(Kind::Queue, 0, Some(50)), segment(Kind::Run, 50, Some(300))]),
                    lane("succeeded", vec![segment(Kind::Wait, 300, Some(500)), segment(Kind::Run, 500, Some(900))]),
                ],
            ),
            row("test", "waiting", vec![lane("waiting", vec![segment(Kind::Queue, 900, Some(910)), segment(Kind::Gate, 910, None)])]),
            Row { folded: Some((3, 10)), ..row("fan", "pending", vec![]) },
        ];
        let scale = Scale::new(at(0), at(1_500), Some(at(1_500)), None);
        same("waterfall.html", &waterfall(&rows, &scale, at(1_500)));
    }
}

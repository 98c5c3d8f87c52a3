//! A run as rows over time.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use uuid::Uuid;

use super::read::{RunPage, Step};
use super::shown::Shown;
use crate::gates::Gate;
use crate::runs::attempts::Attempt;
use crate::ui::svg::{Kind, Lane, Row, Scale, Segment, waterfall};

/// How many children a `for_each` step may have and still be shown with them.
pub(super) const UNFOLDED_BY_ITSELF: usize = 5;

fn shows_children(shown: &Shown, step: &Step, children: usize) -> bool {
    children <= UNFOLDED_BY_ITSELF || shown.unfolded.contains(&step.name)
}

/// What belongs to each step.
fn by_step<T>(all: &[T], step: impl Fn(&T) -> Uuid) -> HashMap<Uuid, Vec<&T>> {
    let mut found: HashMap<Uuid, Vec<&T>> = HashMap::new();
    for one in all {
        found.entry(step(one)).or_default().push(one);
    }
    found
}

pub(super) fn draw(page: &RunPage, shown: &Shown) -> Markup {
    let now = Utc::now();
    let gates = by_step(&page.run.gates, |gate| gate.step_id);
    let attempts = by_step(&page.attempts, |attempt| attempt.step_id);
    let lanes_of =
        |step: &Step| lanes(step, attempts.get(&step.id).map_or(&[], Vec::as_slice), gates.get(&step.id).map_or(&[], Vec::as_slice));
    let mut rows = vec![];
    for step in page.run.steps.iter().filter(|step| step.parent_id.is_none()) {
        let folded = page.folded(step);
        rows.push(row(step, shown, folded, false, lanes_of(step)));
        if folded.is_some_and(|(_, all)| shows_children(shown, step, all)) {
            rows.extend(page.children(step).map(|part| row(part, shown, None, true, lanes_of(part))));
        }
    }
    let is_finished = page.run.ended_at.is_some();
    // The scale leaves out idle time, and a gate that waits is idle time.
    let busy = shown.hides_idle.then(|| {
        let segments = rows.iter().flat_map(|row| &row.lanes).flat_map(|lane| &lane.segments);
        segments
            .filter(|segment| matches!(segment.kind, Kind::Run | Kind::Queue))
            .map(|segment| (segment.from, segment.to.unwrap_or(now)))
            .collect()
    });
    let scale = Scale::new(page.run.created_at, page.run.ended_at.unwrap_or(now), (!is_finished).then_some(now), busy);
    html! {
        (waterfall(&rows, &scale, now))
        p.legend aria-hidden="true" {
            span.key.q { "queued" } span.key.r { "running" } span.key.s { "succeeded" } span.key.f { "failed" } span.key.g { "waiting at a gate" } span.key.w { "waiting" }
        }
    }
}

fn row(step: &Step, shown: &Shown, folded: Option<(usize, usize)>, is_child: bool, lanes: Vec<Lane>) -> Row {
    Row {
        name: step.name.clone(),
        tool: step.tool.clone(),
        status: step.status.clone(),
        link: format!("{}#drawer", shown.link(Some(&step.name))),
        is_child,
        folded,
        is_selected: shown.step.as_ref() == Some(&step.name),
        lanes,
        took_ms: step.started_at.map(|began| (step.ended_at.unwrap_or_else(Utc::now) - began).num_milliseconds()),
    }
}

/// The attempts of a step: finished ones, and the running one.
fn lanes(step: &Step, attempts: &[&Attempt], gates: &[&Gate]) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = vec![];
    let mut before: Option<DateTime<Utc>> = None;
    for attempt in attempts {
        let mut segments = queue(attempt.ready_at, attempt.started_at, Some(attempt.ended_at), before);
        if let Some(began) = attempt.started_at {
            segments.extend(ran(began, Some(attempt.ended_at), gates));
        }
        lanes.push(Lane { status: attempt.outcome.clone(), segments });
        before = Some(attempt.ended_at);
    }
    let is_recorded = attempts.iter().any(|attempt| attempt.attempt == step.attempt);
    if !is_recorded && step.ready_at.is_some() {
        let mut segments = queue(step.ready_at, step.started_at, step.ended_at, before);
        if let Some(began) = step.started_at {
            if step.waits_for.as_deref().is_some_and(|what| what != "gate") {
                segments.push(Segment { kind: Kind::Wait, from: began, to: step.ended_at });
            } else {
                segments.extend(ran(began, step.ended_at, gates));
            }
        }
        lanes.push(Lane { status: step.status.clone(), segments });
    }
    lanes
}

/// Queue time, and before it the wait since the attempt before.
fn queue(
    ready: Option<DateTime<Utc>>,
    began: Option<DateTime<Utc>>,
    ended: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
) -> Vec<Segment> {
    let Some(ready) = ready else { return vec![] };
    let mut segments = vec![];
    if let Some(before) = before.filter(|before| *before < ready) {
        segments.push(Segment { kind: Kind::Wait, from: before, to: Some(ready) });
    }
    // A step that was parked is ready again after it began.
    if began.is_none_or(|began| began > ready) {
        segments.push(Segment { kind: Kind::Queue, from: ready, to: began.or(ended) });
    }
    segments
}

/// An execution, with the waits at gates.
fn ran(from: DateTime<Utc>, to: Option<DateTime<Utc>>, gates: &[&Gate]) -> Vec<Segment> {
    let mut segments = vec![];
    let mut at = from;
    let manual = gates
        .iter()
        .filter(|gate| gate.gate_type.starts_with("manual:") && gate.created_at >= from && to.is_none_or(|to| gate.created_at <= to));
    for gate in manual {
        segments.push(Segment { kind: Kind::Run, from: at, to: Some(gate.created_at) });
        segments.push(Segment { kind: Kind::Gate, from: gate.created_at, to: gate.decided_at });
        match gate.decided_at {
            Some(decided) => at = decided,
            None => return segments,
        }
    }
    segments.push(Segment { kind: Kind::Run, from: at, to });
    segments
}

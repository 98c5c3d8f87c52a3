//! `llvm-cov export` as JSON: segments `[line, column, count, has_count, is_region_entry, is_gap]`, each in force until the next.

use serde_json::Value;

use super::report::{Report, Unreadable};

#[derive(Clone, Copy)]
struct Segment {
    line: u32,
    count: u64,
    has_count: bool,
    is_entry: bool,
    is_gap: bool,
}

impl Segment {
    fn read(value: &Value) -> Option<Self> {
        let line = value[0].as_u64().and_then(|line| u32::try_from(line).ok())?;
        Some(Self {
            line,
            count: value[2].as_u64()?,
            has_count: value[3].as_bool()?,
            is_entry: value[4].as_bool()?,
            is_gap: value.get(5).and_then(Value::as_bool).unwrap_or(false),
        })
    }

    fn begins_region(&self) -> bool {
        self.has_count && self.is_entry && !self.is_gap
    }
}

pub(super) fn read(value: &Value) -> Result<Report, Unreadable> {
    let mut report = Report::default();
    let files = value["data"].as_array().into_iter().flatten().flat_map(|data| data["files"].as_array().into_iter().flatten());
    for file in files {
        let path = file["filename"].as_str().ok_or_else(|| Unreadable::new("a file without a filename"))?;
        let fail = || Unreadable::new(format!("{path}: a segment that cannot be read"));
        let segments = file["segments"].as_array().ok_or_else(fail)?;
        let segments = segments.iter().map(|one| Segment::read(one).ok_or_else(fail)).collect::<Result<Vec<_>, _>>()?;
        report.file(path);
        for (line, hits) in lines(&segments) {
            report.hit(path, line, hits);
        }
    }
    report.or_empty(true, "")
}

/// How often each line ran, as LLVM counts: the maximum of the segment in force at its start and of the regions that start on it.
fn lines(segments: &[Segment]) -> Vec<(u32, u64)> {
    let mut out = vec![];
    let Some(last) = segments.last() else { return out };
    let mut rest = segments;
    let mut in_force: Option<Segment> = None;
    for line in segments[0].line..=last.line {
        let (here, after) = rest.split_at(rest.iter().take_while(|segment| segment.line == line).count());
        rest = after;
        let begins_skipped = here.first().is_some_and(|first| !first.has_count && first.is_entry);
        let counted = here.iter().filter(|segment| segment.begins_region());
        let is_mapped = (!begins_skipped && (in_force.is_some_and(|segment| segment.has_count) || counted.clone().next().is_some()))
            || here.iter().any(|segment| segment.is_entry && segment.has_count);
        if is_mapped {
            let carried = in_force.map_or(0, |segment| segment.count);
            out.push((line, counted.map(|segment| segment.count).fold(carried, u64::max)));
        }
        in_force = here.last().copied().or(in_force);
    }
    out
}

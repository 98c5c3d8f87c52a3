//! LCOV: `SF`, `DA`, `end_of_record`; all other records are about functions and branches.

use super::report::{Report, Unreadable};

pub(super) fn read(text: &str) -> Result<Report, Unreadable> {
    let mut report = Report::default();
    let mut file: Option<&str> = None;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        let fail = |what: &str| Unreadable::new(format!("line {}: {what}: {line}", at + 1));
        if let Some(path) = line.strip_prefix("SF:") {
            file = Some(path);
            report.file(path);
        } else if let Some(data) = line.strip_prefix("DA:") {
            let mut fields = data.split(',');
            let number = fields.next().and_then(|field| field.trim().parse().ok()).ok_or_else(|| fail("no line number"))?;
            // Some tools write a count below zero or in floating point; below zero is not covered.
            let hits: f64 = fields.next().and_then(|field| field.trim().parse().ok()).ok_or_else(|| fail("no count"))?;
            report.hit(file.ok_or_else(|| fail("line data outside a record"))?, number, if hits > 0.0 { (hits as u64).max(1) } else { 0 });
        } else if line == "end_of_record" {
            file = None;
        }
    }
    report.or_empty(file.is_none(), "the last record has no end_of_record")
}

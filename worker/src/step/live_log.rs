//! Streams the output of a step's processes while they run, secrets masked. Chunks are for people who watch and may be left out: the
//! handler saves the log as an artifact. Of a process that writes faster than chunks are sent, the newest output is sent.

use std::time::Duration;

use nofx_shared::secrets::Mask;
use serde_json::json;

use super::StepContext;
use crate::drivers::{LiveOutput, Untaken};

/// Time between two chunks: a process that ends sooner sends none.
const CHUNK_INTERVAL: Duration = Duration::from_millis(500);
/// The same for an attempt that has sent more than is stored of it: nobody reads all of that.
const LONG_LOG_INTERVAL: Duration = Duration::from_secs(2);
const LONG_LOG_BYTES: usize = 4 << 20;
/// Largest chunk.
const CHUNK_BYTES: usize = 128 << 10;

/// What to do with the output that is held.
#[derive(Debug, PartialEq)]
enum Part {
    /// Send these lines: their offsets in the output, and their text without secrets.
    Lines { begin: usize, end: usize, text: String },
    /// Leave out what is before this offset: it is part of a line that is too long.
    Leave { until: usize },
    /// No line is complete.
    Wait,
}

impl StepContext {
    /// Sends the output as it grows. Never ends.
    pub(super) async fn stream_log(&self, output: &LiveOutput) {
        let mut next = 0;
        loop {
            let is_long = *self.log_offset.lock().await > LONG_LOG_BYTES;
            tokio::time::sleep(if is_long { LONG_LOG_INTERVAL } else { CHUNK_INTERVAL }).await;
            let held = output.untaken();
            let (begin, end, text) = match next_part(&held, held.at > next, &self.mask) {
                Part::Lines { begin, end, text } => (begin, end, text),
                Part::Leave { until } => {
                    output.take_until(until);
                    continue;
                }
                Part::Wait => continue,
            };
            let mut offset = self.log_offset.lock().await;
            // Readers see from the offset that something is left out.
            let at = *offset + (begin - next);
            let arguments = json!({"p_step": self.step.id, "p_token": self.step.token, "p_at_byte": at, "p_text": text});
            match self.services.db.call::<_, bool>("append_log", &arguments).await {
                Ok(_) => {
                    *offset = at + text.len();
                    next = end;
                    output.take_until(end);
                }
                Err(error) => tracing::debug!(%error, "could not send a log chunk; the next one includes it"),
            }
        }
    }
}

/// `is_cut`: output before this was left out, so it may begin in the middle of a line, or of a secret.
fn next_part(held: &Untaken, is_cut: bool, mask: &Mask) -> Part {
    let whole = String::from_utf8_lossy(&held.bytes);
    let begin = if is_cut { first_line(&whole, mask) } else { Some(0) };
    let chunk = begin.map_or("", |begin| complete_lines(&whole[begin..], mask));
    match begin {
        Some(begin) if !chunk.is_empty() => {
            let [begin, end] =
                [begin, begin + chunk.len()].map(|end| held.at + after_lines(&held.bytes, whole[..end].matches('\n').count()));
            Part::Lines { begin, end, text: mask.apply(chunk).replace('\0', "\u{fffd}") }
        }
        _ if held.bytes.len() > CHUNK_BYTES + mask.longest() => Part::Leave { until: held.at + CHUNK_BYTES },
        _ => Part::Wait,
    }
}

/// Where so many lines end. Text has the lines of the bytes that it was read from, but not always their length.
fn after_lines(bytes: &[u8], lines: usize) -> usize {
    let mut ends = bytes.iter().enumerate().filter_map(|(at, byte)| (*byte == b'\n').then_some(at + 1));
    lines.checked_sub(1).and_then(|last| ends.nth(last)).unwrap_or(0)
}

/// Where the first line begins that is neither part of a secret nor follows a part of one.
fn first_line(whole: &str, mask: &Mask) -> Option<usize> {
    let masked = mask.apply(whole);
    let starts = whole.match_indices('\n').map(|(end, _)| end + 1).filter(|start| *start >= mask.longest());
    starts.into_iter().find(|start| is_apart(whole, *start, &masked, mask))
}

/// Whole lines from the start, up to a line end that no secret spans.
fn complete_lines<'a>(whole: &'a str, mask: &Mask) -> &'a str {
    let mut end = whole.len().saturating_sub(mask.longest()).min(CHUNK_BYTES);
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    let masked = mask.apply(whole);
    while let Some(line) = whole[..end].rfind('\n') {
        if is_apart(whole, line + 1, &masked, mask) {
            return &whole[..=line];
        }
        end = line;
    }
    ""
}

/// Whether no secret spans this place.
fn is_apart(whole: &str, at: usize, masked: &str, mask: &Mask) -> bool {
    let (before, after) = whole.split_at(at);
    mask.apply(before) + &mask.apply(after) == masked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(at: usize, bytes: &[u8], is_cut: bool, mask: &Mask) -> Part {
        next_part(&Untaken { at, bytes: bytes.to_vec() }, is_cut, mask)
    }

    fn lines(begin: usize, end: usize, text: &str) -> Part {
        Part::Lines { begin, end, text: text.to_owned() }
    }

    #[test]
    fn only_whole_lines_without_half_a_secret_are_sent() {
        let none = Mask::default();
        assert_eq!(complete_lines("one\ntwo\nthr", &none), "one\ntwo\n");
        assert_eq!(complete_lines("no end", &none), "");
        let mask = Mask::new(["begin\nmiddle\nend".to_owned()]);
        assert_eq!(complete_lines("before\nbegin\nmiddle\n", &mask), "", "more of it may come");
        assert_eq!(complete_lines("before\nbegin\nmiddle\nend\nand so\n", &mask), "before\n", "one of its lines would be sent");
        let whole = "before\nbegin\nmiddle\nend\nand much more that follows\n";
        assert_eq!(mask.apply(complete_lines(whole, &mask)), "before\n***\n");
    }

    #[test]
    fn after_a_gap_no_rest_of_a_secret_is_sent() {
        let mask = Mask::new(["first\nsecond\nthird".to_owned()]);
        let cut = format!("ond\nthird\nplain\nfirst\nsecond\nthird\nafter that\n{}", "and much more of it\n".repeat(20));
        let Part::Lines { begin, text, .. } = part(100, cut.as_bytes(), true, &mask) else { panic!("lines") };
        assert!(begin >= 100 + mask.longest(), "{begin}");
        assert!(!text.contains("second") && !text.contains("third"), "{text}");
        assert_eq!(part(100, b"ond\nthird\nplain\n", true, &mask), Part::Wait);
    }

    #[test]
    fn offsets_are_those_of_the_output_whatever_its_encoding() {
        let none = Mask::default();
        assert_eq!(part(7, b"\xff\xfe\nwhole\nhal", false, &none), lines(7, 16, "\u{fffd}\u{fffd}\nwhole\n"));
        assert_eq!(part(7, b"\xff\xfe\nwhole\nhal", true, &none), lines(10, 16, "whole\n"));
        assert_eq!(part(0, b"a\0b\n", false, &none), lines(0, 4, "a\u{fffd}b\n"));
    }

    #[test]
    fn a_line_that_is_too_long_is_left_out() {
        let none = Mask::default();
        let mut output = vec![b'x'; CHUNK_BYTES + 1];
        assert_eq!(part(5, &output, false, &none), Part::Leave { until: 5 + CHUNK_BYTES });
        output.drain(..CHUNK_BYTES);
        output.extend_from_slice(b"\nshort\n");
        assert_eq!(part(5 + CHUNK_BYTES, &output, true, &none), lines(5 + CHUNK_BYTES + 2, 5 + CHUNK_BYTES + 8, "short\n"));
    }
}

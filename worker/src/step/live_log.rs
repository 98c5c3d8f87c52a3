//! Streams the output of a step's processes while they run, secrets masked. Chunks are for people who watch and may be lost: the handler
//! saves the whole log as an artifact.

use std::time::Duration;

use nofx_shared::secrets::Mask;
use serde_json::json;

use super::StepContext;
use crate::drivers::LiveOutput;

/// Time between two chunks: a process that ends sooner sends none.
const CHUNK_INTERVAL: Duration = Duration::from_millis(500);
/// Largest chunk.
const CHUNK_BYTES: usize = 128 << 10;

impl StepContext {
    /// Sends the output as it grows. Never ends.
    pub(super) async fn stream_log(&self, output: &LiveOutput) {
        let mut sent = 0;
        let mut full = false;
        loop {
            tokio::time::sleep(CHUNK_INTERVAL).await;
            if full {
                continue;
            }
            let unsent = output.after(sent).await;
            let whole = String::from_utf8_lossy(&unsent);
            let chunk = complete_lines(&whole, &self.mask);
            if chunk.is_empty() {
                continue;
            }
            let text = self.mask.apply(chunk).replace('\0', "\u{fffd}");
            let mut offset = self.log_offset.lock().await;
            let arguments = json!({"p_step": self.step.id, "p_token": self.step.token, "p_at_byte": *offset, "p_text": text});
            match self.services.db.call::<_, bool>("append_log", &arguments).await {
                Ok(stored) => {
                    full = !stored;
                    *offset += text.len();
                    sent += chunk.len().min(unsent.len());
                }
                Err(error) => tracing::debug!(%error, "could not send a log chunk; the next one includes it"),
            }
        }
    }
}

/// Whole lines from the start, up to a line end that no secret spans.
fn complete_lines<'a>(whole: &'a str, mask: &Mask) -> &'a str {
    let mut end = whole.len().saturating_sub(mask.longest()).min(CHUNK_BYTES);
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    let masked = mask.apply(whole);
    while let Some(line) = whole[..end].rfind('\n') {
        let (chunk, rest) = whole.split_at(line + 1);
        if mask.apply(chunk) + &mask.apply(rest) == masked {
            return chunk;
        }
        end = line;
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

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
}

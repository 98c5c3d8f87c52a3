//! Runs a step's processes and sends on what they print while they run, secrets masked. The whole log is kept as an artifact by whoever
//! runs them: pieces are for people who watch, and one that is lost is no loss.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use nofx_shared::engine::Failure;
use nofx_shared::secrets::Mask;
use serde_json::json;

use super::StepContext;
use crate::drivers::{Command, Ended, Printed, Processes};

/// How often pieces are sent: a process that ends sooner sends none.
const PERIOD: Duration = Duration::from_millis(500);
/// Most that a piece holds.
const PIECE_BYTES: usize = 128 << 10;

impl StepContext {
    /// Runs a program in a folder with this environment, as long as the step goes on.
    pub(crate) async fn run(&self, argv: Vec<String>, dir: &Path, env: BTreeMap<String, String>) -> Result<Ended, Failure> {
        let printed = Printed::default();
        let command = Command {
            argv,
            dir: dir.to_owned(),
            env,
            trace: self.trace.clone(),
            stop: self.stop.clone(),
            keep_bytes: Processes::OUTPUT_BYTES,
            printed: printed.clone(),
        };
        tokio::select! {
            ended = self.tools.processes.run(command) => ended,
            () = self.send_on(&printed) => Err(Failure::transient("its log ended before it did")),
        }
    }

    /// Never ends.
    async fn send_on(&self, printed: &Printed) {
        let mut sent = 0;
        let mut full = false;
        loop {
            tokio::time::sleep(PERIOD).await;
            if full {
                continue;
            }
            let waiting = printed.after(sent).await;
            let whole = String::from_utf8_lossy(&waiting);
            let piece = ready(&whole, &self.mask);
            if piece.is_empty() {
                continue;
            }
            let text = self.mask.apply(piece).replace('\0', "\u{fffd}");
            let mut at_byte = self.logged.lock().await;
            let arguments = json!({"p_step": self.step.id, "p_token": self.step.token, "p_at_byte": *at_byte, "p_text": text});
            match self.tools.db.call::<_, bool>("append_log", &arguments).await {
                Ok(kept) => {
                    full = !kept;
                    *at_byte += text.len();
                    sent += piece.len().min(waiting.len());
                }
                Err(error) => tracing::debug!(%error, "could not send a log chunk; the next one includes it"),
            }
        }
    }
}

/// Whole lines from the start, such that no secret lies across their end.
fn ready<'a>(whole: &'a str, mask: &Mask) -> &'a str {
    let mut most = whole.len().saturating_sub(mask.longest()).min(PIECE_BYTES);
    while !whole.is_char_boundary(most) {
        most -= 1;
    }
    let masked = mask.apply(whole);
    let mut end = most;
    while let Some(line) = whole[..end].rfind('\n') {
        let (piece, rest) = whole.split_at(line + 1);
        if mask.apply(piece) + &mask.apply(rest) == masked {
            return piece;
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
        assert_eq!(ready("one\ntwo\nthr", &none), "one\ntwo\n");
        assert_eq!(ready("no end", &none), "");
        let mask = Mask::new(["begin\nmiddle\nend".to_owned()]);
        assert_eq!(ready("before\nbegin\nmiddle\n", &mask), "", "more of it may come");
        assert_eq!(ready("before\nbegin\nmiddle\nend\nand so\n", &mask), "before\n", "a line of it would be told");
        let whole = "before\nbegin\nmiddle\nend\nand much more that follows\n";
        assert_eq!(mask.apply(ready(whole, &mask)), "before\n***\n");
    }
}

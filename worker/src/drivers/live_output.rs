//! The output of a process on its way to the live log of its step. It holds what was not taken yet; when that is too much, the newest.

use std::sync::{Arc, Mutex, PoisonError};

#[derive(Clone, Default)]
pub(crate) struct LiveOutput(Arc<Mutex<Untaken>>);

/// Bytes that arrived and were not taken.
#[derive(Clone, Default)]
pub(crate) struct Untaken {
    /// Offset of the first of them in the output of the process.
    pub at: usize,
    pub bytes: Vec<u8>,
}

impl LiveOutput {
    /// The newest bytes that are held at least; twice as many at most.
    const HELD_BYTES: usize = 512 << 10;

    pub(super) fn push(&self, bytes: &[u8]) {
        let mut held = self.held();
        held.bytes.extend_from_slice(bytes);
        // Not for each byte: what stays is moved.
        if held.bytes.len() >= 2 * Self::HELD_BYTES {
            let excess = held.bytes.len() - Self::HELD_BYTES;
            held.bytes.drain(..excess);
            held.at += excess;
        }
    }

    /// What is held, without taking it.
    pub(crate) fn untaken(&self) -> Untaken {
        self.held().clone()
    }

    /// Takes all bytes before an offset in the output of the process.
    pub(crate) fn take_until(&self, offset: usize) {
        let mut held = self.held();
        let taken = offset.saturating_sub(held.at).min(held.bytes.len());
        held.bytes.drain(..taken);
        held.at += taken;
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Untaken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_output_is_held_and_what_was_dropped_is_known() {
        let output = LiveOutput::default();
        output.push(b"one\ntwo\n");
        output.take_until(4);
        let Untaken { at, bytes } = output.untaken();
        assert_eq!((at, bytes.as_slice()), (4, b"two\n".as_slice()));

        output.push(&vec![b'x'; 2 * LiveOutput::HELD_BYTES - 5]);
        assert_eq!(output.untaken().bytes.len(), 2 * LiveOutput::HELD_BYTES - 1);
        output.push(b"\nlast");
        let Untaken { at, bytes } = output.untaken();
        assert_eq!((at, bytes.len()), (8 + LiveOutput::HELD_BYTES, LiveOutput::HELD_BYTES));
        assert!(bytes.ends_with(b"x\nlast"));
        output.take_until(4);
        assert_eq!(output.untaken().at, 8 + LiveOutput::HELD_BYTES, "what was dropped in the meantime cannot be taken");
        output.take_until(usize::MAX);
        assert_eq!(output.untaken().bytes, b"");
    }
}

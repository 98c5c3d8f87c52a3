//! Looks again and again at what a tree of processes uses together.

use std::time::{Duration, Instant};

use nofx_shared::drivers::Limits;

use super::descendants::tree;
use super::group::Group;
use super::{memory, processor};

/// How often at most.
const INTERVAL: Duration = Duration::from_millis(200);
/// Of the time, at most this part (one of so many) is spent with looking.
const SHARE: u32 = 20;

pub(super) struct Together<'a> {
    group: Option<&'a Group>,
    memory_mb: Option<u64>,
    cpu_s: Option<u64>,
    uid: Option<u32>,
    next: Instant,
}

impl<'a> Together<'a> {
    /// None: no limit.
    pub(super) fn new(limits: &Limits, uid: Option<u32>, group: Option<&'a Group>) -> Option<Self> {
        let (memory_mb, cpu_s) = (limits.total_memory_mb, limits.total_cpu_s);
        (memory_mb.is_some() || cpu_s.is_some()).then(|| Self { group, memory_mb, cpu_s, uid, next: Instant::now() + INTERVAL })
    }

    /// Until they are to be looked at again.
    pub(super) fn wait(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// What is wrong, if it is time to look and too much is used.
    pub(super) fn excess(&mut self) -> Option<String> {
        let began = Instant::now();
        if began < self.next {
            return None;
        }
        let tree = tree();
        let memory = self.memory_mb.and_then(|limit| memory::excess(&tree, limit, self.uid));
        let excess = memory.or_else(|| processor::excess(&tree, self.group, self.cpu_s?));
        self.next = Instant::now() + INTERVAL.max(began.elapsed() * SHARE);
        excess
    }
}

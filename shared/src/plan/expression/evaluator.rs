use std::sync::mpsc::{Receiver, Sender, channel};

use serde_json::Value;

use super::evaluate::Evaluations;
use super::{Budget, Invalid, Names};

/// Stack of the thread that parses and evaluates. Both are recursive: the longest expression needs up to 4 MiB, more than a thread of the
/// runtime has, and 200 MiB in a debug build. Only what is used of it takes memory.
const STACK_BYTES: usize = if cfg!(debug_assertions) { 512 << 20 } else { 16 << 20 };

pub(super) fn large_stack() -> std::thread::Builder {
    std::thread::Builder::new().name("cel".to_owned()).stack_size(STACK_BYTES)
}

/// Evaluates expressions, on a thread of its own that the first of them starts and that ends with this. Parses equal ones once.
#[derive(Default)]
pub struct Evaluator {
    thread: Option<Thread>,
}

struct Thread {
    request: Sender<Request>,
    answers: Receiver<Answer>,
}

struct Request {
    source: String,
    names: Names,
    budget: Budget,
}

struct Answer {
    value: Result<Value, Invalid>,
    left: Budget,
}

impl Evaluator {
    /// Evaluates an expression; takes what that costs from the budget. Blocks until there is a value, or the budget is used up.
    pub fn evaluate(&mut self, source: &str, names: &Names, budget: &mut Budget) -> Result<Value, Invalid> {
        let thread = match self.thread.take() {
            Some(thread) => thread,
            None => Thread::start().map_err(|error| Invalid::Expression(format!("could not start a thread for expressions: {error}")))?,
        };
        let request = Request { source: source.to_owned(), names: names.clone(), budget: *budget };
        let answer = thread.request.send(request).ok().and_then(|()| thread.answers.recv().ok());
        let answer = answer.ok_or_else(|| Invalid::Expression(format!("could not evaluate `{source}`")))?;
        self.thread = Some(thread);
        *budget = answer.left;
        answer.value
    }
}

impl Thread {
    fn start() -> std::io::Result<Self> {
        let ((request, next), (answer, answers)) = (channel::<Request>(), channel());
        large_stack().spawn(move || {
            let mut evaluations = Evaluations::default();
            for Request { source, names, mut budget } in next {
                let value = evaluations.evaluate(&source, &names, &mut budget);
                if answer.send(Answer { value, left: budget }).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { request, answers })
    }
}

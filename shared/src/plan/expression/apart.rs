use std::panic::resume_unwind;

/// Runs work that parses or evaluates on a thread for work that blocks, and waits without holding up another.
pub async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    // Nothing aborts the task: it can only have panicked.
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}

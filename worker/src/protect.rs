//! Asks ECS not to end this task by scaling in while it holds leases (the task protection endpoint of the ECS agent). What is
//! refused or not answered is only logged: an unprotected task hands its steps back when it is told to stop.

use std::time::Duration;

use nofx_shared::net;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// For how long a protection holds, should this process not take it back; renewed at half of it.
const MINUTES: u64 = 20;
/// Idle for so long before the protection is taken back: between two steps there is no use in it.
const CALM: Duration = Duration::from_secs(5);

pub(crate) async fn keep(agent: String, mut busy: watch::Receiver<bool>) {
    loop {
        // An error means that the consumer is gone: so is what was to be protected.
        if busy.wait_for(|busy| *busy).await.is_err() {
            return;
        }
        set(&agent, true).await;
        let mut renewal = Instant::now() + Duration::from_secs(MINUTES * 30);
        let mut calm = None;
        loop {
            tokio::select! {
                changed = busy.changed() => match changed {
                    Ok(()) => calm = (!*busy.borrow_and_update()).then(|| Instant::now() + CALM),
                    Err(_) => break,
                },
                () = sleep_until(renewal) => {
                    set(&agent, true).await;
                    renewal = Instant::now() + Duration::from_secs(MINUTES * 30);
                }
                () = async { sleep_until(calm.expect("it is polled only then")).await }, if calm.is_some() => break,
            }
        }
        set(&agent, false).await;
    }
}

async fn set(agent: &str, protected: bool) {
    let body =
        if protected { json!({"ProtectionEnabled": true, "ExpiresInMinutes": MINUTES}) } else { json!({"ProtectionEnabled": false}) };
    let request = net::client().put(format!("{agent}/task-protection/v1/state")).timeout(Duration::from_secs(5)).json(&body);
    match request.send().await.and_then(reqwest::Response::error_for_status) {
        Ok(_) => tracing::debug!(protected, "task protection"),
        Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, protected, "could not change the task's protection at ECS"),
    }
}

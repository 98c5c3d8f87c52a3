//! Asks ECS not to stop this task when it scales in while the task holds leases (the task protection endpoint of the ECS agent). A request
//! that is refused or gets no response is only logged: an unprotected task interrupts its steps when it is stopped.

use std::time::Duration;

use nofx_shared::net;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How long a protection lasts unless this process ends it; it is renewed at half of that.
const PROTECTION_MINUTES: u64 = 20;
/// How long the worker must be idle before the protection ends: the gap between two steps is shorter.
const IDLE_GRACE: Duration = Duration::from_secs(5);

pub(crate) async fn run(agent: String, mut busy: watch::Receiver<bool>) {
    loop {
        // An error means that the consumer has ended: it holds no leases any more.
        if busy.wait_for(|busy| *busy).await.is_err() {
            return;
        }
        set(&agent, true).await;
        let mut renewal = Instant::now() + Duration::from_secs(PROTECTION_MINUTES * 30);
        let mut idle_until = None;
        loop {
            tokio::select! {
                changed = busy.changed() => match changed {
                    Ok(()) => idle_until = (!*busy.borrow_and_update()).then(|| Instant::now() + IDLE_GRACE),
                    Err(_) => break,
                },
                () = sleep_until(renewal) => {
                    set(&agent, true).await;
                    renewal = Instant::now() + Duration::from_secs(PROTECTION_MINUTES * 30);
                }
                () = async { sleep_until(idle_until.expect("it is polled only then")).await }, if idle_until.is_some() => break,
            }
        }
        set(&agent, false).await;
    }
}

async fn set(agent: &str, protected: bool) {
    let body = if protected {
        json!({"ProtectionEnabled": true, "ExpiresInMinutes": PROTECTION_MINUTES})
    } else {
        json!({"ProtectionEnabled": false})
    };
    let request = net::client().put(format!("{agent}/task-protection/v1/state")).timeout(Duration::from_secs(5)).json(&body);
    match request.send().await.and_then(reqwest::Response::error_for_status) {
        Ok(_) => tracing::debug!(protected, "scale-in protection"),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, protected, "could not change the scale-in protection at ECS")
        }
    }
}

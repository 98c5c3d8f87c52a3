//! Kills machines whose attempts no worker runs: their worker was killed, or could not reach the provider. An account is searched until
//! nothing is found there, and again once it is used; where that costs nothing the deployment's is searched each time. What is found by
//! nobody ends with its lifetime. Tenants bring accounts of their own, so one that does not answer holds up no other.

use std::time::Duration;

use futures::StreamExt;
use nofx_shared::db::Error;
use nofx_shared::engine::ended_attempts;

use super::context::JobContext;
use crate::drivers::{Account, Fault};

/// Accounts that are searched at the same time: Modal's take a process each.
const MAX_SEARCHES: usize = 4;
/// For the search of one account, and to kill what is found there.
const ACCOUNT_LIMIT: Duration = Duration::from_secs(120);
/// For one run of the job. The rest has its turn in the next one.
const RUN_LIMIT: Duration = Duration::from_secs(600);

pub(super) async fn run(context: &JobContext) -> Result<(), Error> {
    let accounts = &context.services.accounts;
    let mut all = accounts.take_searched().await;
    // Where a run ends early, the next begins with others; the deployment's own come first.
    all.sort_by_key(|searched| !searched.is_deployments());
    let own = all.iter().filter(|searched| searched.is_deployments()).count();
    rotate(&mut all[own..], chrono::Utc::now().timestamp().unsigned_abs());
    let (kept, result) = search(all, |searched| async move { reap(context, searched.account.as_ref()).await }).await;
    kept.iter().for_each(|searched| accounts.keep(searched));
    result
}

fn rotate<T>(all: &mut [T], by: u64) {
    if !all.is_empty() {
        all.rotate_left(usize::try_from(by).unwrap_or_default() % all.len());
    }
}

/// Reaps in all accounts, some at once and each for a limited time; returns those that are to be searched again, and the last error.
async fn search<T: Clone, F>(all: Vec<T>, reap: impl Fn(T) -> F) -> (Vec<T>, Result<(), Error>)
where
    F: Future<Output = Result<bool, Error>>,
{
    let end = tokio::time::Instant::now() + RUN_LIMIT;
    let reap = &reap;
    let reaped = futures::stream::iter(all).map(|account| async move {
        if tokio::time::Instant::now() >= end {
            return (account, Ok(false));
        }
        let reaped = tokio::time::timeout(ACCOUNT_LIMIT, reap(account.clone())).await.unwrap_or_else(|_| {
            tracing::warn!(limit_s = ACCOUNT_LIMIT.as_secs(), "an account was not searched in time; the next run will");
            Ok(false)
        });
        (account, reaped)
    });
    let (mut kept, mut result) = (vec![], Ok(()));
    let mut reaped = std::pin::pin!(reaped.buffer_unordered(MAX_SEARCHES));
    while let Some((account, reaped)) = reaped.next().await {
        if !matches!(reaped, Ok(true)) {
            kept.push(account);
        }
        result = result.and_then(|()| reaped.map(drop));
    }
    (kept, result)
}

/// Whether nothing is there.
async fn reap(context: &JobContext, account: &dyn Account) -> Result<bool, Error> {
    // Listed before the database is read: an attempt that ended then has no machine to come.
    let found = match account.list(&context.services.accounts.deployment).await {
        Ok(found) => found,
        // Its keys are none any more: nothing can be found there before it is used again.
        Err(Fault::Refused(why)) => {
            tracing::warn!(why, "could not list machines");
            return Ok(true);
        }
        Err(fault) => {
            tracing::warn!(%fault, "could not list machines; the next run will");
            return Ok(false);
        }
    };
    if found.is_empty() {
        return Ok(true);
    }
    let attempts: Vec<_> = found.iter().map(|found| (found.tags.step, found.tags.attempt)).collect();
    for at in ended_attempts(&context.db, &attempts).await? {
        let Some(machine) = found.get(at) else { continue };
        match account.kill(&machine.id).await {
            Ok(()) => tracing::info!(machine = machine.id, step = %machine.tags.step, "killed a machine that was left behind"),
            Err(fault) => tracing::warn!(%fault, machine = machine.id, "could not kill a machine; the next run will"),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use nofx_shared::db::Error;

    use super::{ACCOUNT_LIMIT, MAX_SEARCHES, RUN_LIMIT, rotate, search};

    #[tokio::test(start_paused = true)]
    async fn an_account_that_does_not_answer_holds_up_no_other_and_is_kept() {
        let begun = tokio::time::Instant::now();
        let ended = Mutex::new(vec![]);
        let ended_by = &ended;
        let (mut kept, result) = search((0..9).collect(), |account| async move {
            match account {
                0 => std::future::pending::<()>().await,
                1 => return Ok(false),
                2 => return Err(Error::Unavailable("no database".to_owned())),
                _ => {}
            }
            ended_by.lock().expect("not poisoned").push((account, begun.elapsed()));
            Ok(true)
        })
        .await;
        kept.sort_unstable();
        assert_eq!(kept, [0, 1, 2]);
        assert!(result.is_err());
        let ended = ended.into_inner().expect("not poisoned");
        assert!(ended.len() == 6 && ended.iter().all(|(_, after)| after.is_zero()), "{ended:?}");
        assert_eq!(begun.elapsed(), ACCOUNT_LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_ends_however_many_accounts_hang_and_keeps_the_rest() {
        let (begun, asked) = (tokio::time::Instant::now(), Mutex::new(0));
        let all: Vec<usize> = (0..1000).collect();
        let (kept, result) = search(all, |_| async {
            *asked.lock().expect("not poisoned") += 1;
            std::future::pending().await
        })
        .await;
        assert!(result.is_ok() && kept.len() == 1000);
        assert!(begun.elapsed() <= RUN_LIMIT + ACCOUNT_LIMIT, "{:?}", begun.elapsed());
        let rounds = usize::try_from(RUN_LIMIT.as_secs() / ACCOUNT_LIMIT.as_secs()).expect("few");
        assert_eq!(asked.into_inner().expect("not poisoned"), rounds * MAX_SEARCHES);
    }

    #[test]
    fn each_run_begins_elsewhere() {
        let turned = |by| {
            let mut all = [0, 1, 2];
            rotate(&mut all, by);
            all
        };
        assert_eq!((turned(0), turned(4), turned(u64::MAX)), ([0, 1, 2], [1, 2, 0], [0, 1, 2]));
        rotate::<u8>(&mut [], 3);
    }
}

//! The machine of one attempt: created for its first program, the same for all of them, killed when the attempt ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nofx_shared::drivers::{Enforced, Level, Usage};
use nofx_shared::engine::Failure;
use tokio::sync::Mutex;

use super::create::create;
use super::{Account, Accounts, Fault, Machine, Spec};

/// How long the end of an attempt waits for its machine to be killed. What is left then is found by the job `reap_machines`.
const LONGEST_END: Duration = Duration::from_secs(10);
/// Between two attempts to kill it.
const KILL_WAIT: Duration = Duration::from_millis(200);

/// Where the programs of an attempt run.
#[derive(Clone)]
pub(crate) enum Place {
    /// On this machine.
    Here,
    Machine(Arc<OwnMachine>),
}

pub(crate) struct OwnMachine {
    accounts: Arc<Accounts>,
    pub(super) spec: Spec,
    /// Locked by the program that runs: one at a time.
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    account: Option<Arc<dyn Account>>,
    opened: Option<Opened>,
    /// Whether there may be machines of this attempt whose ids are not known.
    is_uncertain: bool,
    has_ended: bool,
    /// When the first creation began.
    since: Option<Instant>,
}

/// The machine as its programs use it.
pub(super) struct Opened {
    pub machine: Arc<dyn Machine>,
    pub enforced: Enforced,
    /// Folders of this worker that were sent.
    pub sent: Vec<Sent>,
}

/// A folder of this worker that is on the machine, too.
pub(super) struct Sent {
    pub here: PathBuf,
    pub there: String,
    /// Of both as they are: when the folder here has another, it is sent again. None: always.
    pub digest: Option<String>,
}

impl OwnMachine {
    /// Makes no call: an attempt without programs needs no machine.
    pub(crate) fn new(accounts: Arc<Accounts>, spec: Spec) -> Self {
        Self { accounts, spec, state: Mutex::default() }
    }

    /// The machine, created if there is none yet. `least` is the level that the step demands.
    pub(super) async fn open<'a>(&self, state: &'a mut State, least: Option<Level>) -> Result<&'a mut Opened, Failure> {
        let (driver, _) = self.spec.kind;
        if state.has_ended {
            return Err(Failure::interrupted());
        }
        let State { account, opened, is_uncertain, since, .. } = state;
        if opened.is_none() {
            let found = self.accounts.of_tenant(&self.spec).await?;
            let enforced = found.enforces(&self.spec).map_err(|why| Failure::permanent(format!("{driver} cannot run this step: {why}")))?;
            let enforced = Enforced { image: self.spec.image.clone(), ..enforced };
            if enforced.level < least {
                let (held, least) = [enforced.level, least].map(|level| level.map_or("none", Level::as_str)).into();
                return Err(Failure::permanent(format!("{driver} enforces {held}, the step needs {least}")));
            }
            let account = account.insert(found);
            // What is being created is paid for, also when it never serves.
            since.get_or_insert_with(Instant::now);
            let created = create(account.as_ref(), &self.spec, is_uncertain).await;
            if matches!(created, Err(Fault::Refused(_))) {
                *since = None;
            }
            let machine = created.map_err(|fault| fault.failure(&format!("could not create a machine at {driver}")))?;
            *opened = Some(Opened { machine, enforced, sent: vec![] });
        }
        opened.as_mut().ok_or_else(|| Failure::transient("there is no machine"))
    }

    /// Kills it, with all that runs there. Nothing runs on it from now on. How long it was there; none: there was none.
    pub(crate) async fn end(&self) -> Option<Usage> {
        let mut state = self.state.lock().await;
        state.has_ended = true;
        let wall = state.since.take().map(|since| since.elapsed());
        match tokio::time::timeout(LONGEST_END, self.kill(&mut state)).await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => self.leave(&why.to_string()),
            Err(_) => self.leave("it takes long"),
        }
        let wall_ms = |wall: Duration| u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        wall.map(|wall| Usage { wall_ms: wall_ms(wall), ..Usage::default() })
    }

    fn leave(&self, why: &str) {
        tracing::warn!(why, step = %self.spec.tags.step, "could not kill a machine; the job reap_machines will");
        self.accounts.search_for(&self.spec);
    }

    async fn kill(&self, state: &mut State) -> Result<(), Fault> {
        let Some(account) = state.account.clone() else { return Ok(()) };
        if let Some(id) = state.opened.as_ref().map(|opened| opened.machine.id().to_owned()) {
            kill(account.as_ref(), &id).await?;
            state.opened = None;
        }
        if state.is_uncertain {
            let is_ours = |tags: &super::Tags| tags.step == self.spec.tags.step && tags.attempt == self.spec.tags.attempt;
            for found in account.list(&self.spec.tags.deployment).await?.iter().filter(|found| is_ours(&found.tags)) {
                kill(account.as_ref(), &found.id).await?;
            }
            state.is_uncertain = false;
        }
        Ok(())
    }
}

/// Kills a machine; again while the provider is busy or does not answer, which may be for ever.
async fn kill(account: &dyn Account, id: &str) -> Result<(), Fault> {
    loop {
        match account.kill(id).await {
            Ok(()) | Err(Fault::Gone(_)) => return Ok(()),
            Err(Fault::Refused(why)) => return Err(Fault::Refused(why)),
            Err(Fault::Busy { after, .. }) => tokio::time::sleep(after.unwrap_or(KILL_WAIT)).await,
            Err(Fault::Unavailable(_)) => tokio::time::sleep(KILL_WAIT).await,
        }
    }
}

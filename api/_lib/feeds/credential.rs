//! The credential of a stream: a stream ends when its key is revoked or expires, or its person signs out, and a caller has so many at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use nofx_shared::auth::{self, Caller, Sessions};
use nofx_shared::cache::TtlCache;
use nofx_shared::db::{self, Db};
use nofx_shared::problem::{Kind, Problem};
use serde_json::json;
use uuid::Uuid;

/// Most streams of a caller in this process.
const STREAMS: usize = 32;
/// Most streams of a tenant in this process: a caller is a key, too, and a tenant makes many.
const STREAMS_OF_TENANT: usize = 512;
/// How often a stream's credential is checked.
pub(crate) const CHECK_EVERY: Duration = Duration::from_secs(3);

/// Which keys are valid, or not, a moment ago.
pub(super) type Known = TtlCache<Uuid, bool>;

/// The streams of this process: of each tenant those of its callers.
#[derive(Default)]
pub(super) struct OpenStreams {
    counts: Mutex<HashMap<Uuid, HashMap<String, usize>>>,
}

/// A stream that is open until this is dropped.
pub(crate) struct OpenStream {
    streams: Arc<OpenStreams>,
    caller: (Uuid, String),
}

impl OpenStreams {
    pub(super) fn open(self: &Arc<Self>, caller: &Caller) -> Result<OpenStream, Problem> {
        let caller = (caller.tenant, caller.subject.clone());
        let mut counts = self.counts.lock().expect("nobody panics while holding it");
        let of_tenant = counts.entry(caller.0).or_default();
        let refused = if of_tenant.get(&caller.1).is_some_and(|count| *count >= STREAMS) {
            Some(format!("You have {STREAMS} event streams open. Close one, or share it."))
        } else if of_tenant.values().sum::<usize>() >= STREAMS_OF_TENANT {
            Some(format!("Your tenant has {STREAMS_OF_TENANT} event streams open. Close one, or share it."))
        } else {
            None
        };
        if let Some(why) = refused {
            return Err(Problem { retry_after_s: Some(5), ..Problem::new(Kind::RateLimited, why) });
        }
        *of_tenant.entry(caller.1.clone()).or_default() += 1;
        drop(counts);
        Ok(OpenStream { streams: Arc::clone(self), caller })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut counts = self.streams.counts.lock().expect("nobody panics while holding it");
        let (tenant, subject) = &self.caller;
        if let Some(of_tenant) = counts.get_mut(tenant) {
            if let Some(count) = of_tenant.get_mut(subject) {
                *count -= 1;
            }
            of_tenant.retain(|_, count| *count > 0);
            if of_tenant.is_empty() {
                counts.remove(tenant);
            }
        }
    }
}

/// A credential that was valid when its stream began.
pub(crate) struct Credential {
    service: Db,
    known: Arc<Known>,
    sessions: Arc<Sessions>,
    key: Option<Uuid>,
    /// The token of a person's session, and until when it is valid.
    session: Option<(String, DateTime<Utc>)>,
}

impl Credential {
    pub(super) fn of(caller: &Caller, service: &Db, known: &Arc<Known>, sessions: &Arc<Sessions>) -> Self {
        let key = caller.subject.strip_prefix("key:").and_then(|id| id.parse().ok()).filter(|_| caller.session.is_none());
        let session = caller.session.clone().and_then(|token| auth::expires_at(&token).map(|at| (token, at)));
        Self { service: service.clone(), known: Arc::clone(known), sessions: Arc::clone(sessions), key, session }
    }

    /// For tests of streams.
    #[cfg(test)]
    pub(crate) fn unchecked() -> Self {
        let service = Db::new("http://127.0.0.1:1", "", "");
        Self { service, known: Arc::new(Known::new(CHECK_EVERY)), sessions: tests::no_sessions(), key: None, session: None }
    }

    /// Whether it is valid still. Streams of one credential ask together; while the database or Auth does not answer, none ends.
    pub(crate) async fn is_active(&self) -> bool {
        if let Some((token, expires_at)) = &self.session {
            return *expires_at > Utc::now() && or_unknown(self.sessions.is_open(token).await);
        }
        let Some(key) = self.key else { return true };
        let ask = async || self.service.call::<_, bool>("is_key_active", &json!({"p_key": key})).await;
        let answer: Result<_, db::Error> = self.known.get_or_load(key, ask).await;
        or_unknown(answer.map(|active| *active))
    }
}

/// What is not known does not end a stream.
fn or_unknown(answer: Result<bool, impl std::fmt::Display>) -> bool {
    answer.unwrap_or_else(|error| {
        tracing::warn!(%error, "a stream's credential could not be checked; it is checked again");
        true
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use nofx_shared::auth::{Caller, Role, Sessions, sign_for};
    use nofx_shared::cache::TtlCache;
    use nofx_shared::db::{Db, RequestOrigin};
    use nofx_shared::settings::Supabase;
    use uuid::Uuid;

    use super::{Credential, OpenStreams, STREAMS, STREAMS_OF_TENANT};

    /// Of an Auth that does not answer.
    pub(super) fn no_sessions() -> Arc<Sessions> {
        let (url, key) = ("http://127.0.0.1:1".to_owned(), String::new());
        let supabase = Supabase { rest_url: url.clone(), url, anon_key: key.clone(), service_role_key: key, db_url: None };
        Arc::new(Sessions::new(&supabase))
    }

    fn caller(subject: &str, session: Option<String>) -> Caller {
        let origin = RequestOrigin::default();
        Caller { subject: subject.to_owned(), tenant: Uuid::nil(), role: Role::Viewer, email: None, session, scopes: None, origin }
    }

    #[test]
    fn a_caller_has_so_many_streams_and_others_have_theirs() {
        let streams = Arc::new(OpenStreams::default());
        let (one, other) = (caller("one", None), caller("other", None));
        let mut open: Vec<_> = (0..STREAMS).map(|_| streams.open(&one)).collect();
        assert!(open.iter().all(Result::is_ok) && streams.open(&one).is_err() && streams.open(&other).is_ok());
        open.pop();
        assert!(streams.open(&one).is_ok(), "one was closed");
        drop(open);
        assert!(streams.counts.lock().expect("not poisoned").is_empty(), "nothing is kept of those that have gone");
    }

    #[test]
    fn a_tenant_has_so_many_streams_however_many_keys_it_has() {
        let streams = Arc::new(OpenStreams::default());
        let of_key = |key: usize| streams.open(&caller(&format!("key:{key}"), None));
        let mut open: Vec<_> = (0..STREAMS_OF_TENANT).map(|key| of_key(key / STREAMS)).collect();
        assert!(open.iter().all(Result::is_ok) && of_key(STREAMS_OF_TENANT).is_err());
        let other = Caller { tenant: Uuid::from_u128(1), ..caller("other", None) };
        assert!(streams.open(&other).is_ok(), "another tenant has its own");
        open.pop();
        assert!(of_key(STREAMS_OF_TENANT).is_ok(), "one was closed");
    }

    #[tokio::test]
    async fn a_token_that_has_expired_is_not_active_and_an_outage_ends_nothing() {
        let (db, known) = (Db::new("http://127.0.0.1:1", "", ""), Arc::new(TtlCache::new(Duration::from_secs(1))));
        let sessions = no_sessions();
        let token = |valid_s: i64| Some(sign_for("a secret of at least thirty-two characters", "p", Uuid::nil(), Role::Viewer, valid_s));
        assert!(Credential::of(&caller("p", token(60)), &db, &known, &sessions).is_active().await);
        assert!(!Credential::of(&caller("p", token(-1)), &db, &known, &sessions).is_active().await);
        let key = Uuid::from_u128(1);
        let credential = Credential::of(&caller(&format!("key:{key}"), None), &db, &known, &sessions);
        assert!(credential.is_active().await, "the database does not answer");
        known.insert(key, false);
        assert!(!credential.is_active().await);
    }
}

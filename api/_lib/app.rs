//! The application: what every request needs. Built once per process, cloned for each request.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use nofx_shared::auth::{self, Caller, Role};
use nofx_shared::cache::TtlCache;
use nofx_shared::containment::{self, EdgeConfig, OpenBreakers};
use nofx_shared::db::{self, Db, RequestOrigin};
use nofx_shared::engine::MetricsSummary;
use nofx_shared::function_calls::Executor;
use nofx_shared::hooks::{self, RequestHooks};
use nofx_shared::limits::Limits;
use nofx_shared::problem::{Kind, Problem};
use nofx_shared::queue::{Queue, WakeUp};
use nofx_shared::settings;
use nofx_shared::storage::Storage;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use crate::background::Background;
use crate::feeds::Hub;

/// How long the identity of an API key is cached: a revoked key works that long in this process.
const KEY_TTL: Duration = Duration::from_secs(5);

/// How old the hooks, breakers and metrics of a tenant may be.
const TENANT_TTL: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
    /// Executes steps of the driver `vercel-function`, on hosts that do.
    executor: Option<Arc<dyn Executor>>,
}

struct Inner {
    settings: settings::Api,
    verifier: auth::Verifier,
    sessions: Arc<auth::Sessions>,
    service: Db,
    storage: Storage,
    hub: Arc<Hub>,
    queue: Queue,
    closing: CancellationToken,
    keys: TtlCache<String, Caller>,
    limits: Limits,
    hooks: TtlCache<Uuid, RequestHooks>,
    summaries: TtlCache<Uuid, MetricsSummary>,
    counts: TtlCache<Uuid, Value>,
    people: TtlCache<Uuid, HashMap<String, String>>,
    open_breakers: TtlCache<Uuid, OpenBreakers>,
    edge_config: Option<EdgeConfig>,
}

#[derive(Deserialize)]
struct KeyOwner {
    id: Uuid,
    tenant_id: Uuid,
    role: Role,
    scopes: Option<Vec<String>>,
}

impl App {
    pub fn new(settings: settings::Api) -> Self {
        let supabase = &settings.supabase;
        let service =
            Db::new(&supabase.rest_url, &supabase.anon_key, supabase.service_role_key.clone()).in_region(settings.region.as_deref());
        let service = service.sealing_with(&settings.encryption_keys);
        let limits = Limits::new(settings.limits.clone(), service.clone());
        let storage = Storage::new(&supabase.url, &supabase.service_role_key);
        let closing = CancellationToken::new();
        let sessions = Arc::new(auth::Sessions::new(supabase));
        let hub = Arc::new(Hub::new(&settings, service.clone(), Arc::clone(&sessions), closing.clone()));
        let verifier = auth::Verifier::new(&settings.jwt_secret, &supabase.url);
        let queue = Queue::new(settings.queue.clone(), None);
        Self {
            executor: None,
            inner: Arc::new(Inner {
                verifier,
                sessions,
                service,
                storage,
                hub,
                queue,
                keys: TtlCache::new(KEY_TTL),
                limits,
                hooks: TtlCache::new(TENANT_TTL),
                summaries: TtlCache::new(TENANT_TTL),
                counts: TtlCache::new(TENANT_TTL),
                people: TtlCache::new(TENANT_TTL),
                open_breakers: TtlCache::new(TENANT_TTL),
                edge_config: settings.edge_config.clone().map(EdgeConfig::new),
                closing,
                settings,
            }),
        }
    }

    /// The same application on a host that executes steps.
    pub fn executing_with(self, executor: Arc<dyn Executor>) -> Self {
        Self { executor: Some(executor), ..self }
    }

    pub(crate) fn executor(&self) -> Option<&Arc<dyn Executor>> {
        self.executor.as_ref()
    }

    pub fn settings(&self) -> &settings::Api {
        &self.inner.settings
    }

    /// The database as the caller sees it, read and called by the API: no token of a person can do so (ADR 18).
    pub(crate) fn db(&self, caller: &Caller) -> Db {
        let secret = &self.inner.settings.jwt_secret;
        let token = auth::sign_for_api(secret, &caller.subject, caller.tenant, caller.role, caller.email.as_deref());
        self.inner.service.acting_as(token).on_behalf_of(&caller.origin)
    }

    /// The database as the service role, for an operator: the audit log names them.
    pub(crate) fn db_for_operator(&self, operator: &Caller) -> Db {
        let origin = RequestOrigin { actor: Some(operator.subject.clone()), ..operator.origin.clone() };
        self.inner.service.clone().on_behalf_of(&origin)
    }

    /// The database as the service role, for data of no tenant.
    pub fn service_db(&self) -> &Db {
        &self.inner.service
    }

    /// The hooks of a tenant's requests, at most a few seconds old.
    pub(crate) async fn request_hooks(&self, tenant: Uuid) -> Result<Arc<RequestHooks>, db::Error> {
        self.inner
            .hooks
            .get_or_load(tenant, async || hooks::request_hooks(&self.inner.service, &self.inner.settings.encryption_keys, tenant).await)
            .await
    }

    /// Reads them again, after they were changed here.
    pub(crate) fn invalidate_hooks(&self, tenant: Uuid) {
        self.inner.hooks.invalidate(&tenant);
    }

    pub(crate) fn summaries(&self) -> &TtlCache<Uuid, MetricsSummary> {
        &self.inner.summaries
    }

    /// How many runs a tenant has of each status.
    pub(crate) fn counts(&self) -> &TtlCache<Uuid, Value> {
        &self.inner.counts
    }

    /// The email addresses of the caller's colleagues, by their subject.
    pub(crate) async fn people(&self, caller: &Caller) -> Result<Arc<HashMap<String, String>>, db::Error> {
        self.inner.people.get_or_load(caller.tenant, async || auth::people(&self.db(caller)).await).await
    }

    pub(crate) fn edge_config(&self) -> Option<&EdgeConfig> {
        self.inner.edge_config.as_ref()
    }

    /// The open breakers of the tenant, to show and never to act on: from Edge Config, or from the database if it has none.
    pub(crate) async fn open_breakers(&self, caller: &Caller) -> Result<Arc<OpenBreakers>, db::Error> {
        let read = async || {
            if let Some(edge_config) = self.edge_config() {
                match edge_config.open_breakers(caller.tenant).await {
                    Ok(Some(open)) => return Ok(open),
                    Ok(None) => {}
                    Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "could not read open breakers from Edge Config"),
                }
            }
            containment::open_breakers(&self.db(caller)).await
        };
        self.inner.open_breakers.get_or_load(caller.tenant, read).await
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Whether an API key was valid a moment ago.
    pub(crate) fn is_known_key(&self, credential: &str) -> bool {
        self.inner.keys.peek(&auth::fingerprint(credential)).is_some()
    }

    pub(crate) fn storage(&self) -> &Storage {
        &self.inner.storage
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.inner.hub
    }

    /// Wakes workers for runs or steps, after the response where the host allows it. The change is committed: if a wake-up fails, the next
    /// sweep finds the steps.
    pub(crate) async fn wake_workers(&self, background: &Background, wake_ups: Vec<WakeUp>) {
        let app = self.clone();
        let work = async move {
            if let Err(error) = app.inner.queue.wake(wake_ups).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "could not wake workers; the next sweep will");
            }
        };
        background.run(work.in_current_span()).await;
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.inner.queue
    }

    /// Ends event streams and what feeds them: the host is about to end the process.
    pub fn close(&self) {
        self.inner.closing.cancel();
    }

    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.inner.closing
    }

    /// The caller of a credential: a person's JWT or an API key.
    pub(crate) async fn identify(&self, credential: &str) -> Result<Caller, Problem> {
        if !credential.starts_with("nofx_") {
            return self.inner.verifier.verify(credential).await.map_err(|error| match error {
                auth::Error::Unavailable(cause) => {
                    tracing::error!(error = &cause as &dyn std::error::Error, "could not verify a token");
                    Problem::new(Kind::Unavailable, "Token verification keys could not be fetched. Try again in a moment.")
                }
                error => Problem::new(Kind::Unauthorized, format!("Invalid token: {error}. Sign in again.")),
            });
        }
        let hash = auth::fingerprint(credential);
        let find = async || self.find_key(&hash).await;
        self.inner.keys.get_or_load(hash.clone(), find).await.map(|caller| Caller::clone(&caller))
    }

    /// Refuses a caller whose session has ended, before something is changed.
    pub(crate) async fn require_session(&self, caller: &Caller) -> Result<(), Problem> {
        let Some(token) = &caller.session else { return Ok(()) };
        match self.inner.sessions.is_open(token).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Problem::new(Kind::Unauthorized, "The session of this token has ended. Sign in again.")),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "could not check a session");
                Err(Problem::new(Kind::Unavailable, "Supabase Auth did not say whether the session is open. Try again in a moment."))
            }
        }
    }

    /// The session of this token has ended here.
    pub(crate) fn forget_session(&self, token: &str) {
        self.inner.sessions.forget(token);
    }

    /// The caller of an API key, as the database has it.
    async fn find_key(&self, hash: &str) -> Result<Caller, Problem> {
        let owners: Vec<KeyOwner> =
            self.inner.service.call("resolve_api_key", &json!({"p_hash": hash})).await.map_err(|error| error.problem())?;
        let owner = owners
            .into_iter()
            .next()
            .ok_or_else(|| Problem::new(Kind::Unauthorized, "The API key is unknown, revoked or expired. Ask an admin for a new one."))?;
        Ok(Caller {
            subject: format!("key:{}", owner.id),
            tenant: owner.tenant_id,
            role: owner.role,
            email: None,
            session: None,
            scopes: owner.scopes,
            origin: RequestOrigin::default(),
        })
    }
}

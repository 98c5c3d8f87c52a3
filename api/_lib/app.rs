//! What every request has at hand; built once a process, cloned per request.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use nofx_shared::auth::{self, Caller, Role};
use nofx_shared::containment::{self, Edge, OpenBreakers};
use nofx_shared::db::{self, Db, RequestOrigin};
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

use crate::events::Hub;
use crate::http::{Background, Operator};
use crate::memory::Memory;

/// How long an API key's identity is remembered: so long a revoked key still works in this process.
const KEY_MEMORY: Duration = Duration::from_secs(30);

/// How old the hooks of a tenant, its breakers and the summary of its work may be.
const TENANT_MEMORY: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    settings: settings::Api,
    verifier: auth::Verifier,
    service: Db,
    storage: Storage,
    hub: Arc<Hub>,
    queue: Queue,
    closing: CancellationToken,
    keys: Memory<String, Caller>,
    limits: Limits,
    hooks: Memory<Uuid, RequestHooks>,
    summaries: Memory<Uuid, Value>,
    counts: Memory<Uuid, Value>,
    people: Memory<Uuid, HashMap<String, String>>,
    open_breakers: Memory<Uuid, OpenBreakers>,
    edge: Option<Edge>,
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
        let limits = Limits::new(settings.limits.clone(), service.clone());
        let storage = Storage::new(&supabase.url, &supabase.service_role_key);
        let hub = Arc::new(Hub::new(supabase.clone(), settings.queue.clone(), service.clone()));
        let verifier = auth::Verifier::new(&supabase.jwt_secret, &supabase.url);
        let queue = Queue::new(settings.queue.clone(), None);
        Self {
            inner: Arc::new(Inner {
                verifier,
                service,
                storage,
                hub,
                queue,
                keys: Memory::new(KEY_MEMORY),
                limits,
                hooks: Memory::new(TENANT_MEMORY),
                summaries: Memory::new(TENANT_MEMORY),
                counts: Memory::new(TENANT_MEMORY),
                people: Memory::new(TENANT_MEMORY),
                open_breakers: Memory::new(TENANT_MEMORY),
                edge: settings.edge.clone().map(Edge::new),
                closing: CancellationToken::new(),
                settings,
            }),
        }
    }

    pub fn settings(&self) -> &settings::Api {
        &self.inner.settings
    }

    /// The database as the caller sees it.
    pub(crate) fn db(&self, caller: &Caller) -> Db {
        self.inner.service.acting_as(&caller.token).on_behalf_of(&caller.origin)
    }

    /// The database as the service role sees it, for an operator: the record names them.
    pub(crate) fn operator_db(&self, operator: &Operator) -> Db {
        let origin = RequestOrigin { actor: Some(operator.0.subject.clone()), ..operator.0.origin.clone() };
        self.inner.service.clone().on_behalf_of(&origin)
    }

    /// The database as the service role sees it: for what is nobody's data.
    pub(crate) fn service_db(&self) -> &Db {
        &self.inner.service
    }

    /// The hooks of a tenant's requests, as they were a few seconds ago.
    pub(crate) async fn hooks_of(&self, tenant: Uuid) -> Result<Arc<RequestHooks>, db::Error> {
        self.inner.hooks.get(tenant, async || hooks::request_hooks(&self.inner.service, tenant).await).await
    }

    /// They were changed here.
    pub(crate) fn prune_deliveries(&self, tenant: Uuid) {
        self.inner.hooks.forget(&tenant);
    }

    pub(crate) fn summaries(&self) -> &Memory<Uuid, Value> {
        &self.inner.summaries
    }

    /// How many runs a tenant has of each status.
    pub(crate) fn counts(&self) -> &Memory<Uuid, Value> {
        &self.inner.counts
    }

    /// The addresses of the caller's colleagues, by their subject.
    pub(crate) async fn people(&self, caller: &Caller) -> Result<Arc<HashMap<String, String>>, db::Error> {
        self.inner.people.get(caller.tenant, async || auth::people(&self.db(caller)).await).await
    }

    pub(crate) fn edge(&self) -> Option<&Edge> {
        self.inner.edge.as_ref()
    }

    /// What is shut out for the caller, to be told and never to be acted upon: from the edge, or from the database where the edge has nothing.
    pub(crate) async fn open_breakers(&self, caller: &Caller) -> Result<Arc<OpenBreakers>, db::Error> {
        let read = async || {
            if let Some(edge) = self.edge() {
                match edge.open_breakers(caller.tenant).await {
                    Ok(Some(known)) => return Ok(known),
                    Ok(None) => {}
                    Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "could not read open breakers from Edge Config"),
                }
            }
            containment::open_breakers(&self.db(caller)).await
        };
        self.inner.open_breakers.get(caller.tenant, read).await
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Whether an API key was good a moment ago.
    pub(crate) fn knows(&self, credential: &str) -> bool {
        self.inner.keys.known(&auth::fingerprint(credential)).is_some()
    }

    pub(crate) fn storage(&self) -> &Storage {
        &self.inner.storage
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.inner.hub
    }

    /// Tells the workers to look at runs or steps, after the answer where the host allows it. They have committed: a ring that
    /// fails is the sweeper's, not the caller's.
    pub(crate) async fn wake_workers(&self, background: &Background, rings: Vec<WakeUp>) {
        let app = self.clone();
        let work = async move {
            if let Err(error) = app.inner.queue.wake(rings).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "could not wake workers; the next sweep will");
            }
        };
        background.run(work.in_current_span()).await;
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.inner.queue
    }

    /// Ends what would otherwise stay open: the host is about to end the process.
    pub fn close(&self) {
        self.inner.closing.cancel();
    }

    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.inner.closing
    }

    /// Who a credential stands for: a person's JWT or an API key.
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
        self.inner.keys.get(hash.clone(), find).await.map(|caller| Caller::clone(&caller))
    }

    /// Whom an API key stands for, as the database knows it.
    async fn find_key(&self, hash: &str) -> Result<Caller, Problem> {
        let owners: Vec<KeyOwner> =
            self.inner.service.call("resolve_api_key", &json!({"p_hash": hash})).await.map_err(|error| error.problem())?;
        let owner = owners
            .into_iter()
            .next()
            .ok_or_else(|| Problem::new(Kind::Unauthorized, "The API key is unknown, revoked or expired. Ask an admin for a new one."))?;
        let subject = format!("key:{}", owner.id);
        let token = auth::sign_for(&self.inner.settings.supabase.jwt_secret, &subject, owner.tenant_id, owner.role, 120);
        Ok(Caller { subject, tenant: owner.tenant_id, role: owner.role, token, scopes: owner.scopes, origin: RequestOrigin::default() })
    }
}

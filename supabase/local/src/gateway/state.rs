//! The states of what the gateway serves. Each room asks for those that it needs, and sees no other.

use std::sync::Arc;

use axum::extract::FromRef;

use super::proxy::Upstream;
use crate::project::Project;
use crate::realtime::Realtime;
use crate::storage::Storage;

/// What a stack starts before its gateway.
#[derive(Clone)]
pub(crate) struct Services {
    pub project: Arc<Project>,
    pub storage: Arc<Storage>,
    pub realtime: Arc<Realtime>,
    pub upstream: Arc<Upstream>,
}

impl FromRef<Services> for Arc<Project> {
    fn from_ref(services: &Services) -> Self {
        Self::clone(&services.project)
    }
}

impl FromRef<Services> for Arc<Storage> {
    fn from_ref(services: &Services) -> Self {
        Self::clone(&services.storage)
    }
}

impl FromRef<Services> for Arc<Realtime> {
    fn from_ref(services: &Services) -> Self {
        Self::clone(&services.realtime)
    }
}

impl FromRef<Services> for Arc<Upstream> {
    fn from_ref(services: &Services) -> Self {
        Self::clone(&services.upstream)
    }
}

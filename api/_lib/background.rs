//! Work that may continue after the response.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs work that the caller need not wait for. A host that lets work continue after the response puts one into the request's extensions;
/// without one the response waits.
#[derive(Clone, Default)]
pub struct Background(Option<Arc<dyn Fn(Work) + Send + Sync>>);

impl Background {
    /// `spawn` is the host's: it keeps the process awake until the work is done.
    pub fn new(spawn: impl Fn(Work) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(spawn)))
    }

    pub(crate) async fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        match &self.0 {
            Some(spawn) => spawn(Box::pin(work)),
            None => work.await,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Background {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

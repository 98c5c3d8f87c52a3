//! Calls a model for a step. How a model is chosen and called is not here: see `models`.

use nofx_shared::engine::Failure;

use super::StepContext;
use crate::models::{ModelCaller, ModelRequest, ModelResponse};

impl StepContext {
    /// Calls a model; which one responded is part of the step's provenance.
    pub(crate) async fn ask(&self, request: ModelRequest) -> Result<ModelResponse, Failure> {
        let mut response = if self.is_on_function() { self.ask_on_function(request).await? } else { self.ask_here(&request).await? };
        if let Some(parameters) = response.parameters.take() {
            self.parameters.lock().expect("the lock is never poisoned").insert("model".to_owned(), parameters);
        }
        Ok(response)
    }

    async fn ask_here(&self, request: &ModelRequest) -> Result<ModelResponse, Failure> {
        let services = &self.services;
        let caller = ModelCaller { db: &services.db, secrets: &services.secrets, step: &self.step, mask: &self.mask, stop: &self.stop };
        services.models.call(&caller, request).await
    }
}

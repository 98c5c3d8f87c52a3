//! Model calls: the candidates (`candidates`) and their cooldowns (`cooldown`), one after the other until one responds (`fallback`), a call of
//! one provider (`chat`), prices (`price`). Budgets and the responses that a run already has are in the database: it is called before and
//! after each model call (`record`). Nothing here knows of handlers or of the worker's rooms: `step/ask.rs` calls.

mod call;
mod caller;
mod candidates;
mod chat;
mod cooldown;
mod credentials;
mod fallback;
mod fence;
mod price;
mod provider_error;
mod providers;
mod record;
mod request;
mod response;
mod task;
mod tenant_order;

pub(crate) use call::{Models, Timings};
pub(crate) use caller::ModelCaller;
pub(crate) use fence::unfenced;
pub(crate) use request::ModelRequest;
pub(crate) use response::ModelResponse;
pub(crate) use task::Task;

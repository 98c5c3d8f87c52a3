//! Model calls, as the database records them.

mod calls;

pub use calls::{ModelCallResult, ModelCallStart, ReplayedResponse, Settings, begin_model_call, end_model_call, model_settings};

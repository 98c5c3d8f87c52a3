//! Questions to models: what the database knows of them.

mod calls;

pub use calls::{Begun, ModelCallResult, Known, Settings, begin_model_call, end_model_call, model_settings};

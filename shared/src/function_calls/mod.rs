//! Calls of the function that executes steps (driver `vercel-function`): what a call says, who executes it, and its record in the
//! database, which decides whether it is executed, answered from the record or refused. Who sends calls is the worker's, and who receives
//! them the API's.

mod begin_function_call;
mod call;
mod executor;
mod finish_function_call;

pub use begin_function_call::{BegunFunctionCall, begin_function_call};
pub use call::{FUNCTION_CALL_BYTES, FunctionCall, PATH, SIGNATURE_HEADER};
pub use executor::Executor;
pub use finish_function_call::finish_function_call;

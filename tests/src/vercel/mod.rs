//! A deployment on this machine: every built function as a warm process with the runtime's IPC socket, behind a gateway that
//! routes as the build output's `config.json` says.

mod deployment;
mod function;
mod gateway;
mod routes;

pub use deployment::Deployment;
pub use function::Invocation;

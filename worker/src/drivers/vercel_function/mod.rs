//! The driver `vercel-function`: sends the work of a step to the function that executes it, until there is an answer. What executes it is not
//! here: see `function`. How a call is verified, executed once and recorded is the API's and the database's.

mod answer;
mod client;
mod failure;
mod work;

pub(crate) use answer::{Answer, Executed};
pub(crate) use client::VercelFunction;
pub(crate) use work::Work;

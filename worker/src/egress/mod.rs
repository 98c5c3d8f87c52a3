//! The egress proxy: the only way out for a step with `network: proxy`. Each attempt has a listener and a password of its own, which end with
//! it; what it reached is counted. How its programs are kept from any other way is not here: see `sandbox/src/launch`.
//!
//! Clients are hostile: a name is resolved once and its addresses are checked before one of them is connected to; an attempt's connections,
//! bytes and hosts are limited, and nothing that it does slowly takes anything away from another one.

mod account;
mod answer;
mod connect;
mod counted;
mod forward;
mod grant;
mod listen;
mod refusal;
#[cfg(test)]
mod tests;
mod tunnel;

pub(crate) use grant::Grant;

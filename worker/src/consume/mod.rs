//! The consume loop: wake-up → claim → execute → settle. One task decides; steps run in tasks of their own.
//!
//! ```text
//!  wake-up ─► settling ── settle_steps ──► claimed steps ─► start_step ─► prepare ─► execute ─► handler
//!                ▲                                                                                 │
//!                └─────────────────────────────────── result ◄─────────────────────────────────────┘
//! ```
//!
//! Every settle also claims as many steps as the worker has capacity for: a busy worker makes no call only to claim.
//!
//! `consumer` is the loop, `phase` says whether it may claim and when it ends, and `settling`, `suspects`, `writes`, `leases` and `timers` are its state.
//! What is ready, valid or due, the database decides. Who wakes the worker is not here: see `listener`.

mod check_driver;
mod consumer;
mod execute;
mod leases;
mod notify;
mod phase;
mod prepare;
mod route;
mod settling;
mod start_step;
mod step_result;
mod suspects;
mod timers;
mod writes;

pub(crate) use consumer::Consumer;

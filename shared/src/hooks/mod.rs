//! Hooks: what tenants are told and asked by webhook, and what others tell by one. Signing, checking and posting; the loops are in
//! `worker/jobs/deliver_hooks`, what requests do is in `api/http/hooks`.

mod calls;
mod filter;
mod post;
mod sign;
mod verify;

pub use calls::{
    Delivery, Due, Hook, HookFilter, RequestHooks, Phase, Taken, Target, Unread, advance_hook_cursor, record_delivery_attempt, request_hooks,
    enqueue_deliveries, read_hook_events, claim_deliveries,
};
pub use filter::{check, matches};
pub use post::{Said, post};
pub use sign::{make_secret, sign};
pub use verify::{Provider, Refused, Verified, verify};

//! Hooks of tenants, and webhooks that others send: signing, verifying and posting. The loops are in `worker/jobs/deliver_hooks`, hooks of
//! requests in `api/http/hooks`.

mod calls;
mod filter;
mod post;
mod secrets;
mod sign;
mod target;
mod verify;

pub use calls::{
    ClaimedDeliveries, Delivery, DueDelivery, Hook, HookBatch, HookFilter, HookPhase, RequestHooks, advance_hook_cursor, claim_deliveries,
    enqueue_deliveries, read_hook_events, record_delivery_attempt, request_hooks,
};
pub use filter::{Filters, Subject, check};
pub use post::{HookResponse, post};
pub use secrets::{open_source_secrets, seal_secret, seal_source_secret};
pub use sign::{make_secret, sign};
pub use target::{HookTarget, StoredTarget};
pub use verify::{Refused, Verified, WebhookProvider, verify};

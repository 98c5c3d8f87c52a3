//! Who may send webhooks to a tenant. How each of them signs is in the file of its name.

use serde::{Deserialize, Serialize};

/// The sender, which determines how webhooks are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookProvider {
    /// `X-Hub-Signature-256`.
    Github,
    /// `X-Slack-Signature`, with its time.
    Slack,
    /// Standard Webhooks.
    Standard,
    /// Standard Webhooks, with a new id for every attempt.
    SupabaseAuth,
    /// A secret as bearer token: the sender signs nothing.
    SupabaseDatabase,
    /// `x-vercel-signature`.
    Vercel,
}

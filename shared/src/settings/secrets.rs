use std::time::Duration;

use super::{Aws, Reader};

/// Where the secrets are that steps name: `SECRETS_DRIVER`, env when not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// `env`: `NOFX_SECRET_<NAME>` of the worker, for all tenants; `OPENAI_API_KEY`, `ANTHROPIC_API_KEY` and `GEMINI_API_KEY` also as they
    /// stand.
    Env,
    /// `aws`: Secrets Manager, one JSON secret a tenant, `SECRETS_PREFIX/<tenant id>`, cached for `SECRETS_TTL_S` seconds (300).
    Aws { prefix: String, ttl: Duration, aws: Aws },
    /// `vault`: Supabase Vault, one secret a name, `<tenant id>/<NAME>`.
    Vault,
}

impl Reader {
    pub(super) fn secrets(&mut self) -> Secrets {
        match self.text("SECRETS_DRIVER").as_deref() {
            None | Some("env") => Secrets::Env,
            Some("aws") => Secrets::Aws {
                prefix: self.text("SECRETS_PREFIX").unwrap_or_else(|| "nofx".to_owned()),
                ttl: Duration::from_secs(self.parsed("SECRETS_TTL_S", 300)),
                aws: self.aws(),
            },
            Some("vault") => Secrets::Vault,
            Some(other) => {
                self.problems.push(format!("SECRETS_DRIVER: `{other}` is not one of env, aws, vault"));
                Secrets::Env
            }
        }
    }
}

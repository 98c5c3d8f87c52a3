use std::time::Duration;

use super::{Invalid, Reader};

/// How much one caller may ask for: `NOFX_LIMIT_…`, requests a minute; 0 for no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `NOFX_LIMIT_READS`: GETs of a credential, 6000 when not set.
    pub reads: u32,
    /// `NOFX_LIMIT_WRITES`: everything else of a credential, 1200 when not set.
    pub writes: u32,
    /// `NOFX_LIMIT_TENANT`: requests of a tenant, whoever makes them, 12000 when not set.
    pub tenant: u32,
    /// `NOFX_LIMIT_ADDRESS`: requests of an address, with or without a credential, 12000 when not set.
    pub address: u32,
    /// `NOFX_LIMIT_LOGINS`: credentials from one address that were not good, 30 when not set.
    pub logins: u32,
    /// `NOFX_LIMIT_PRE_HOOK_S`: how many seconds a `pre` hook may take before its silence is a no, 2 when not set.
    pub pre_hook: Duration,
    /// `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`: where all processes count; in the database when not set.
    pub upstash: Option<Upstash>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstash {
    pub url: String,
    pub token: String,
    /// `UPSTASH_TIMEOUT_S`: after how many seconds without an answer a process counts alone, 2 when not set.
    pub timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { reads: 6000, writes: 1200, tenant: 12_000, address: 12_000, logins: 30, pre_hook: Duration::from_secs(2), upstash: None }
    }
}

impl Limits {
    /// For a machine that nobody else reaches.
    fn none() -> Self {
        Self { reads: 0, writes: 0, tenant: 0, address: 0, logins: 0, ..Self::default() }
    }
}

impl Reader {
    pub(super) fn limits(&mut self, otherwise: &Limits) -> Limits {
        let upstash = self.url("UPSTASH_REDIS_REST_URL").map(|url| Upstash {
            url,
            token: self.required("UPSTASH_REDIS_REST_TOKEN"),
            timeout: Duration::from_secs(self.parsed("UPSTASH_TIMEOUT_S", 2)),
        });
        Limits {
            reads: self.parsed("NOFX_LIMIT_READS", otherwise.reads),
            writes: self.parsed("NOFX_LIMIT_WRITES", otherwise.writes),
            tenant: self.parsed("NOFX_LIMIT_TENANT", otherwise.tenant),
            address: self.parsed("NOFX_LIMIT_ADDRESS", otherwise.address),
            logins: self.parsed("NOFX_LIMIT_LOGINS", otherwise.logins),
            pre_hook: Duration::from_secs(self.parsed("NOFX_LIMIT_PRE_HOOK_S", otherwise.pre_hook.as_secs())),
            upstash,
        }
    }
}

/// The limits of `nofx dev`: none but those that are set.
pub fn limits_of_dev() -> Result<Limits, Invalid> {
    let mut reader = Reader::default();
    let limits = reader.limits(&Limits::none());
    reader.finish(limits)
}

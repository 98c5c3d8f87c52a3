use std::time::Duration;

use super::{Invalid, Reader};

/// Rate limits: `NOFX_LIMIT_…`, in requests a minute; 0 for no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `NOFX_LIMIT_READS`: GETs of a credential; default: 6000.
    pub reads: u32,
    /// `NOFX_LIMIT_WRITES`: other requests of a credential; default: 1200.
    pub writes: u32,
    /// `NOFX_LIMIT_TENANT`: requests of a tenant; default: 12000.
    pub tenant: u32,
    /// `NOFX_LIMIT_ADDRESS`: requests of an address, with or without a credential; default: 12000.
    pub address: u32,
    /// `NOFX_LIMIT_LOGINS`: failed authentications from one address; default: 30.
    pub failed_auth: u32,
    /// `NOFX_LIMIT_PRE_HOOK_S`: how many seconds a `pre` hook may take; a late answer counts as a denial; default: 2.
    pub pre_hook: Duration,
    /// `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`: where all processes count; default: the database.
    pub upstash: Option<Upstash>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstash {
    pub url: String,
    pub token: String,
    /// `UPSTASH_TIMEOUT_S`: after how many seconds without an answer a process counts alone; default: 2.
    pub timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reads: 6000,
            writes: 1200,
            tenant: 12_000,
            address: 12_000,
            failed_auth: 30,
            pre_hook: Duration::from_secs(2),
            upstash: None,
        }
    }
}

impl Limits {
    /// For a machine that no one else can reach.
    fn none() -> Self {
        Self { reads: 0, writes: 0, tenant: 0, address: 0, failed_auth: 0, ..Self::default() }
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
            failed_auth: self.parsed("NOFX_LIMIT_LOGINS", otherwise.failed_auth),
            pre_hook: Duration::from_secs(self.parsed("NOFX_LIMIT_PRE_HOOK_S", otherwise.pre_hook.as_secs())),
            upstash,
        }
    }
}

/// The limits of `nofx dev`: only those that are set.
pub fn limits_of_dev() -> Result<Limits, Invalid> {
    let mut reader = Reader::default();
    let limits = reader.limits(&Limits::none());
    reader.finish(limits)
}

//! Counts that all processes share, in the database (`take_tokens`) or in an Upstash Redis over its REST interface. A process takes a few
//! requests in advance, so that most need no call, and caches for a moment that nothing is left.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{LimitCheck, LimitState, RateLimitDecision};
use crate::db::Db;
use crate::net;
use crate::settings::Upstash;

/// This fraction of a limit is taken in advance.
const IN_ADVANCE: u32 = 50;
/// How long a process caches that nothing is left.
const EMPTY_FOR: Duration = Duration::from_secs(1);
/// Number of keys above which those are dropped whose window has ended.
const KEYS: usize = 10_000;

/// Sliding window in Redis, from the counts of this window and the one before, in one step. Returns what was granted and what is left.
const SLIDE: &str = "local most, n, window, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local had = tonumber(redis.call('GET', KEYS[1]) or '0')
local before = tonumber(redis.call('GET', KEYS[2]) or '0')
local free = math.max(0, most - had - math.ceil(before * (1 - (now % window) / window)))
local granted = math.min(n, free)
if granted > 0 then redis.call('INCRBY', KEYS[1], granted) redis.call('EXPIRE', KEYS[1], window * 2) end
return {granted, free - granted}";

pub(super) struct Shared {
    store: Store,
    buckets: Mutex<HashMap<String, Bucket>>,
    refilling: tokio::sync::Mutex<()>,
}

type StoreError = Box<dyn std::error::Error + Send + Sync>;

enum Store {
    Postgres(Db),
    Upstash { client: reqwest::Client, settings: Upstash },
}

/// What this process has taken of a limit.
#[derive(Clone, Copy)]
struct Bucket {
    /// Taken in advance and not used.
    left: u32,
    remaining: u32,
    until: Instant,
    /// Nothing is left until then.
    empty_until: Option<Instant>,
    /// Requests rejected since the last call of the store.
    rejected: u32,
}

#[derive(Debug, Deserialize)]
struct Grant {
    key: String,
    granted: u32,
    remaining: u32,
    reset_s: u64,
}

impl Shared {
    pub(super) fn new(upstash: Option<Upstash>, service: Db) -> Self {
        let store = match upstash {
            Some(settings) => Store::Upstash { client: net::client(), settings },
            None => Store::Postgres(service),
        };
        Self { store, buckets: Mutex::default(), refilling: tokio::sync::Mutex::default() }
    }

    pub(super) async fn take(&self, checks: &[LimitCheck]) -> RateLimitDecision {
        if let Some(decision) = self.spend(checks) {
            return decision;
        }
        // One call at a time: the others then use what it took in advance.
        let _turn = self.refilling.lock().await;
        for _ in 0..3 {
            if let Some(decision) = self.spend(checks) {
                return decision;
            }
            let missing = self.missing(checks);
            match self.store.take(&missing, |key| self.rejected(key)).await {
                Ok(grants) => self.store_grants(grants),
                Err(error) => {
                    tracing::warn!(
                        error = &*error as &dyn std::error::Error,
                        "could not count limits for all processes; this process counts alone"
                    );
                    return RateLimitDecision::Allowed(None);
                }
            }
        }
        RateLimitDecision::Allowed(None)
    }

    /// The limits of which nothing is left in this process.
    fn missing<'a>(&self, checks: &'a [LimitCheck]) -> Vec<&'a LimitCheck> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().expect("nobody panics while holding it");
        if buckets.len() > KEYS {
            buckets.retain(|_, bucket| bucket.until > now);
        }
        checks.iter().filter(|check| buckets.get(&check.key).is_none_or(|bucket| bucket.left == 0 || bucket.until <= now)).collect()
    }

    pub(super) fn is_used_up(&self, check: &LimitCheck) -> Option<LimitState> {
        let buckets = self.buckets.lock().expect("nobody panics while holding it");
        let reset = buckets.get(&check.key)?.empty(Instant::now())?;
        Some(LimitState { policy: check.policy, remaining: 0, reset })
    }

    /// A request that the local limit rejected; the next call reports it to the store.
    pub(super) fn record_rejection(&self, check: &LimitCheck, wait: Duration) {
        if let Some(bucket) = self.buckets.lock().expect("nobody panics while holding it").get_mut(&check.key) {
            bucket.rejected += 1;
            let now = Instant::now();
            bucket.until = bucket.until.max(now + wait);
            bucket.empty_until = Some(now + EMPTY_FOR.min(wait));
        }
    }

    fn rejected(&self, key: &str) -> u32 {
        self.buckets.lock().expect("nobody panics while holding it").get(key).map_or(0, |bucket| bucket.rejected)
    }

    fn store_grants(&self, grants: Vec<Grant>) {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().expect("nobody panics while holding it");
        for grant in grants {
            let reset = Duration::from_secs(grant.reset_s);
            let empty_until = (grant.granted == 0).then(|| now + EMPTY_FOR.min(reset));
            let bucket = Bucket { left: grant.granted, remaining: grant.remaining, until: now + reset, empty_until, rejected: 0 };
            buckets.insert(grant.key, bucket);
        }
    }

    /// Takes one of each limit from what was taken in advance, or refuses because a limit is used up. None when the store must be asked.
    fn spend(&self, checks: &[LimitCheck]) -> Option<RateLimitDecision> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().expect("nobody panics while holding it");
        if let Some((check, reset)) = checks.iter().find_map(|check| Some((check, buckets.get(&check.key)?.empty(now)?))) {
            if let Some(bucket) = buckets.get_mut(&check.key) {
                bucket.rejected += 1;
            }
            return Some(RateLimitDecision::Refused(LimitState { policy: check.policy, remaining: 0, reset }));
        }
        if !checks.iter().all(|check| buckets.get(&check.key).is_some_and(|bucket| bucket.left > 0 && bucket.until > now)) {
            return None;
        }
        let mut nearest: Option<LimitState> = None;
        for check in checks {
            let Some(bucket) = buckets.get_mut(&check.key) else { continue };
            bucket.left -= 1;
            let reset = bucket.until.saturating_duration_since(now);
            let state = LimitState { policy: check.policy, remaining: bucket.left + bucket.remaining, reset };
            let share = |state: &LimitState| f64::from(state.remaining) / f64::from(state.policy.limit.max(1));
            if nearest.as_ref().is_none_or(|so_far| share(&state) < share(so_far)) {
                nearest = Some(state);
            }
        }
        Some(RateLimitDecision::Allowed(nearest))
    }
}

impl Bucket {
    /// How long nothing is left.
    fn empty(&self, now: Instant) -> Option<Duration> {
        self.empty_until.filter(|until| *until > now).map(|_| self.until.saturating_duration_since(now).max(Duration::from_secs(1)))
    }
}

fn in_advance(check: &LimitCheck) -> u32 {
    (check.policy.limit / IN_ADVANCE).max(1)
}

impl Store {
    async fn take(&self, checks: &[&LimitCheck], rejected: impl Fn(&str) -> u32) -> Result<Vec<Grant>, StoreError> {
        match self {
            Self::Postgres(db) => {
                let wanted: Vec<Value> = checks
                    .iter()
                    .map(|check| {
                        let policy = &check.policy;
                        json!({
                            "key": check.key, "n": in_advance(check), "limit": policy.limit, "window_s": policy.window_s,
                            "rejected": rejected(&check.key),
                        })
                    })
                    .collect();
                Ok(db.call("take_tokens", &json!({"p_wanted": wanted})).await?)
            }
            Self::Upstash { client, settings } => {
                let now = chrono::Utc::now().timestamp();
                let commands: Vec<Value> = checks.iter().map(|check| slide(check, now)).collect();
                let request = client.post(format!("{}/pipeline", settings.url)).bearer_auth(&settings.token).timeout(settings.timeout);
                let answers: Vec<Answer> = request.json(&commands).send().await?.error_for_status()?.json().await?;
                checks.iter().zip(answers).map(|(check, answer)| answer.grant(check, now)).collect()
            }
        }
    }
}

fn slide(check: &LimitCheck, now: i64) -> Value {
    let window = i64::from(check.policy.window_s);
    let at = now / window;
    let key = |at: i64| format!("nofx:rate:{}:{at}", check.key);
    json!(["EVAL", SLIDE, 2, key(at), key(at - 1), check.policy.limit, in_advance(check), window, now])
}

/// The result of one command of a pipeline.
#[derive(Deserialize)]
struct Answer {
    result: Option<(u32, u32)>,
    error: Option<String>,
}

impl Answer {
    fn grant(self, check: &LimitCheck, now: i64) -> Result<Grant, StoreError> {
        let (granted, remaining) = self.result.ok_or_else(|| self.error.unwrap_or_else(|| "an answer without a result".to_owned()))?;
        let window = i64::from(check.policy.window_s);
        Ok(Grant { key: check.key.clone(), granted, remaining, reset_s: u64::try_from(window - now % window)? })
    }
}

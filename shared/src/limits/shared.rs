//! The truth: a count that all processes share, in the database (`take_tokens`) or in an Upstash Redis over its REST interface. A process
//! takes a few requests in advance, so that most need no call, and remembers for a moment that nothing is left.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Standing, Verdict};
use crate::db::Db;
use crate::net;
use crate::settings::Upstash;

/// One in so many of a limit is taken in advance.
const IN_ADVANCE: u32 = 50;
/// How long it is believed that nothing is left.
const EMPTY_FOR: Duration = Duration::from_secs(1);
/// Keys that are remembered before those that are over are forgotten.
const KEYS: usize = 10_000;

/// Sliding window of Redis: counts of this window and the one before, in one step. Answers what was granted and what is left.
const SLIDE: &str = "local most, n, window, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local had = tonumber(redis.call('GET', KEYS[1]) or '0')
local before = tonumber(redis.call('GET', KEYS[2]) or '0')
local free = math.max(0, most - had - math.ceil(before * (1 - (now % window) / window)))
local granted = math.min(n, free)
if granted > 0 then redis.call('INCRBY', KEYS[1], granted) redis.call('EXPIRE', KEYS[1], window * 2) end
return {granted, free - granted}";

pub(super) struct Shared {
    store: Store,
    kept: Mutex<HashMap<String, Kept>>,
    refilling: tokio::sync::Mutex<()>,
}

enum Store {
    Postgres(Db),
    Upstash { client: reqwest::Client, settings: Upstash },
}

/// What this process knows of a key.
#[derive(Clone, Copy)]
struct Kept {
    /// Taken in advance and not used.
    left: u32,
    remaining: u32,
    until: Instant,
    /// Nothing is left until then.
    empty_until: Option<Instant>,
    /// Refused since the store was asked last.
    refused: u32,
}

#[derive(Debug, Deserialize)]
struct Taken {
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
        Self { store, kept: Mutex::default(), refilling: tokio::sync::Mutex::default() }
    }

    pub(super) async fn take(&self, asked: &[Asked]) -> Verdict {
        if let Some(verdict) = self.spend(asked) {
            return verdict;
        }
        // One call at a time: whoever waited finds what the one before took in advance.
        let _turn = self.refilling.lock().await;
        for _ in 0..3 {
            if let Some(verdict) = self.spend(asked) {
                return verdict;
            }
            let missing = self.missing(asked);
            match self.store.take(&missing, |key| self.refused(key)).await {
                Ok(taken) => self.keep(taken),
                Err(error) => {
                    tracing::warn!(
                        error = &*error as &dyn std::error::Error,
                        "could not count limits for all processes; this process counts alone"
                    );
                    return Verdict::Allowed(None);
                }
            }
        }
        Verdict::Allowed(None)
    }

    /// The keys of which nothing is at hand.
    fn missing<'a>(&self, asked: &'a [Asked]) -> Vec<&'a Asked> {
        let now = Instant::now();
        let mut kept = self.kept.lock().expect("nobody panics while holding it");
        if kept.len() > KEYS {
            kept.retain(|_, one| one.until > now);
        }
        asked.iter().filter(|one| kept.get(&one.key).is_none_or(|known| known.left == 0 || known.until <= now)).collect()
    }

    pub(super) fn is_used_up(&self, asked: &Asked) -> Option<Standing> {
        let kept = self.kept.lock().expect("nobody panics while holding it");
        let reset = kept.get(&asked.key)?.empty(Instant::now())?;
        Some(Standing { policy: asked.policy, remaining: 0, reset })
    }

    /// A request that the first line refused: the store is told of it with the next question.
    pub(super) fn record_rejection(&self, asked: &Asked, wait: Duration) {
        if let Some(known) = self.kept.lock().expect("nobody panics while holding it").get_mut(&asked.key) {
            known.refused += 1;
            let now = Instant::now();
            known.until = known.until.max(now + wait);
            known.empty_until = Some(now + EMPTY_FOR.min(wait));
        }
    }

    fn refused(&self, key: &str) -> u32 {
        self.kept.lock().expect("nobody panics while holding it").get(key).map_or(0, |known| known.refused)
    }

    fn keep(&self, taken: Vec<Taken>) {
        let now = Instant::now();
        let mut kept = self.kept.lock().expect("nobody panics while holding it");
        for one in taken {
            let reset = Duration::from_secs(one.reset_s);
            let empty_until = (one.granted == 0).then(|| now + EMPTY_FOR.min(reset));
            kept.insert(one.key, Kept { left: one.granted, remaining: one.remaining, until: now + reset, empty_until, refused: 0 });
        }
    }

    /// Takes one of each that was taken in advance, or refuses because one is used up. None when some must be asked for.
    fn spend(&self, asked: &[Asked]) -> Option<Verdict> {
        let now = Instant::now();
        let mut kept = self.kept.lock().expect("nobody panics while holding it");
        if let Some((one, reset)) = asked.iter().find_map(|one| Some((one, kept.get(&one.key)?.empty(now)?))) {
            if let Some(known) = kept.get_mut(&one.key) {
                known.refused += 1;
            }
            return Some(Verdict::Refused(Standing { policy: one.policy, remaining: 0, reset }));
        }
        if !asked.iter().all(|one| kept.get(&one.key).is_some_and(|known| known.left > 0 && known.until > now)) {
            return None;
        }
        let mut nearest: Option<Standing> = None;
        for one in asked {
            let Some(known) = kept.get_mut(&one.key) else { continue };
            known.left -= 1;
            let reset = known.until.saturating_duration_since(now);
            let standing = Standing { policy: one.policy, remaining: known.left + known.remaining, reset };
            let share = |standing: &Standing| f64::from(standing.remaining) / f64::from(standing.policy.limit.max(1));
            if nearest.as_ref().is_none_or(|so_far| share(&standing) < share(so_far)) {
                nearest = Some(standing);
            }
        }
        Some(Verdict::Allowed(nearest))
    }
}

impl Kept {
    /// How long nothing is left.
    fn empty(&self, now: Instant) -> Option<Duration> {
        self.empty_until.filter(|until| *until > now).map(|_| self.until.saturating_duration_since(now).max(Duration::from_secs(1)))
    }
}

fn in_advance(asked: &Asked) -> u32 {
    (asked.policy.limit / IN_ADVANCE).max(1)
}

impl Store {
    async fn take(&self, asked: &[&Asked], refused: impl Fn(&str) -> u32) -> Result<Vec<Taken>, Box<dyn std::error::Error + Send + Sync>> {
        match self {
            Self::Postgres(db) => {
                let wanted: Vec<Value> = asked
                    .iter()
                    .map(|one| json!({"key": one.key, "n": in_advance(one), "limit": one.policy.limit, "window_s": one.policy.window_s, "refused": refused(&one.key)}))
                    .collect();
                Ok(db.call("take_tokens", &json!({"p_wanted": wanted})).await?)
            }
            Self::Upstash { client, settings } => {
                let now = chrono::Utc::now().timestamp();
                let commands: Vec<Value> = asked.iter().map(|one| slide(one, now)).collect();
                let request = client.post(format!("{}/pipeline", settings.url)).bearer_auth(&settings.token).timeout(settings.timeout);
                let answers: Vec<Answer> = request.json(&commands).send().await?.error_for_status()?.json().await?;
                asked.iter().zip(answers).map(|(one, answer)| answer.taken(one, now)).collect()
            }
        }
    }
}

fn slide(one: &Asked, now: i64) -> Value {
    let window = i64::from(one.policy.window_s);
    let at = now / window;
    let key = |at: i64| format!("nofx:rate:{}:{at}", one.key);
    json!(["EVAL", SLIDE, 2, key(at), key(at - 1), one.policy.limit, in_advance(one), window, now])
}

/// What a command of a pipeline came to.
#[derive(Deserialize)]
struct Answer {
    result: Option<(u32, u32)>,
    error: Option<String>,
}

impl Answer {
    fn taken(self, one: &Asked, now: i64) -> Result<Taken, Box<dyn std::error::Error + Send + Sync>> {
        let (granted, remaining) = self.result.ok_or_else(|| self.error.unwrap_or_else(|| "an answer without a result".to_owned()))?;
        let window = i64::from(one.policy.window_s);
        Ok(Taken { key: one.key.clone(), granted, remaining, reset_s: u64::try_from(window - now % window)? })
    }
}

//! Which measures `--only` asks for: by the name of a measure, or by a key of the report, which may also have a percentile or a number of
//! steps (`start_ms_p50`, `claim_ms_at_1k`).

use crate::exit::Error;

const MEASURES: &[&str] =
    &["ref", "chain_step_ms", "dag_steps_per_s", "start_ms", "sse_ms", "idle_calls_per_min", "dag_steps_per_s_pinned", "claim_ms"];

pub(super) struct Only<'a> {
    key: Option<&'a str>,
}

impl<'a> Only<'a> {
    /// None: all.
    pub(super) fn new(key: Option<&'a str>) -> Result<Self, Error> {
        match key {
            Some(key) if !MEASURES.iter().any(|measure| is_of(key, measure)) => {
                Err(Error::new(format!("--only {key}: unknown measure; pass one of {}", MEASURES.join(", "))))
            }
            _ => Ok(Self { key }),
        }
    }

    pub(super) fn wants(&self, measure: &str) -> bool {
        self.key.is_none_or(|key| is_of(key, measure))
    }
}

/// Whether a key of the report is this measure, one of its percentiles or of its sizes.
fn is_of(key: &str, measure: &str) -> bool {
    key.strip_prefix(measure).is_some_and(|rest| {
        let is_percentile = rest.strip_prefix("_p").is_some_and(|percent| percent.parse::<u8>().is_ok());
        rest.is_empty() || is_percentile || rest.starts_with("_at_") || measure == "ref"
    })
}

#[cfg(test)]
mod tests {
    use super::{MEASURES, Only};

    #[test]
    fn a_key_selects_its_measure_alone() {
        let wanted = |key| -> Vec<&str> {
            let only = Only::new(Some(key)).unwrap_or_else(|error| panic!("{error}"));
            MEASURES.iter().copied().filter(|measure| only.wants(measure)).collect()
        };
        assert_eq!(wanted("start_ms_p50"), ["start_ms"]);
        assert_eq!(wanted("claim_ms_at_1k"), ["claim_ms"]);
        assert_eq!(wanted("dag_steps_per_s"), ["dag_steps_per_s"]);
        assert_eq!(wanted("dag_steps_per_s_pinned"), ["dag_steps_per_s_pinned"]);
        assert_eq!(wanted("ref_rpc_ms_p99"), ["ref"]);
        assert!(MEASURES.iter().all(|measure| Only::new(None).is_ok_and(|only| only.wants(measure))));
        assert!(Only::new(Some("speed")).is_err() && Only::new(Some("start_ms_fast")).is_err());
    }
}

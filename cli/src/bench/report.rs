//! Figures: medians, percentiles, a table or JSON.

use serde_json::{Map, Value, json};

use crate::output;

/// The measures in the order in which they were taken.
#[derive(Default)]
pub(super) struct Report {
    values: Map<String, Value>,
}

impl Report {
    pub(super) fn put(&mut self, key: &str, value: f64) {
        self.put_value(key, json!((value * 1000.0).round() / 1000.0));
    }

    pub(super) fn put_value(&mut self, key: &str, value: Value) {
        output::note(format_args!("  {key:<28} {value}"));
        self.values.insert(key.to_owned(), value);
    }

    /// Adds `<key>_p50` and `<key>_p99`.
    pub(super) fn put_percentiles(&mut self, key: &str, samples: &mut [f64]) {
        self.put(&format!("{key}_p50"), percentile(samples, 0.5));
        self.put(&format!("{key}_p99"), percentile(samples, 0.99));
    }

    pub(super) fn get(&self, key: &str) -> Option<f64> {
        self.values.get(key)?.as_f64()
    }

    pub(super) fn print(&self, as_json: bool) {
        if as_json {
            output::line(format_args!("{}", Value::Object(self.values.clone())));
            return;
        }
        for (key, value) in &self.values {
            output::line(format_args!("{key:<28} {value}"));
        }
        let ratio = |a: &str, b: &str| Some(self.get(a)? / self.get(b)?);
        for (name, value, goal) in [
            ("chain_step_ms / ref_rpc_ms", ratio("chain_step_ms", "ref_rpc_ms"), "≤ 2"),
            ("dag_steps_per_s / ref_tx_per_s", ratio("dag_steps_per_s", "ref_tx_per_s"), "≥ 0.4"),
            ("start_ms_p50 / ref_rpc_ms", ratio("start_ms_p50", "ref_rpc_ms"), "≤ 5"),
            ("start_ms_p99 / ref_rpc_ms", ratio("start_ms_p99", "ref_rpc_ms"), "≤ 15"),
            ("claim_ms_at_1m / claim_ms_at_1k", ratio("claim_ms_at_1m", "claim_ms_at_1k"), "≤ 1.5"),
            ("beside / quiet step p99", self.get("beside_to_quiet_p99"), "≤ 2"),
            ("pinned / dag_steps_per_s", ratio("dag_steps_per_s_pinned", "dag_steps_per_s"), "≥ 0.67"),
        ] {
            if let Some(value) = value {
                output::line(format_args!("{name:<34} {value:.2}  (goal {goal})"));
            }
        }
    }
}

/// The value below which a share of the samples lies.
pub(super) fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index of a short list")]
    let at = ((samples.len() as f64 - 1.0) * share).round() as usize;
    samples.get(at).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a bench")]
pub(super) fn milliseconds(took: chrono::TimeDelta) -> f64 {
    took.num_microseconds().unwrap_or(0) as f64 / 1000.0
}

//! A histogram of a worker's metrics.

/// Upper bound in seconds, and how many took at most that long.
pub(super) fn buckets(metrics: &str, name: &str) -> Vec<(f64, f64)> {
    let lines = metrics.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix("_bucket{le=\""));
    lines
        .filter_map(|line| line.split_once("\"} "))
        .filter_map(|(bound, count)| Some((bound.replace("+Inf", "inf").parse().ok()?, count.parse().ok()?)))
        .collect()
}

/// Within the bucket as if its samples were spread evenly, as Prometheus does.
pub(super) fn quantile(buckets: &[(f64, f64)], share: f64) -> f64 {
    let wanted = buckets.last().map_or(0.0, |(_, all)| all * share);
    let mut below = (0.0, 0.0);
    for (bound, count) in buckets {
        if *count >= wanted {
            return if bound.is_infinite() {
                below.0
            } else {
                below.0 + (bound - below.0) * (wanted - below.1) / (count - below.1).max(1.0)
            };
        }
        below = (*bound, *count);
    }
    f64::NAN
}

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::Tool;

type Labels = Vec<(&'static str, String)>;

/// What the cache gave and took, by tool and `result`: `given` to a process, `missing`, `stored` after one.
#[derive(Clone, Default)]
pub(crate) struct Counters {
    pub files: Family<Labels, Counter>,
    pub bytes: Family<Labels, Counter>,
}

impl Counters {
    pub(crate) fn add(&self, tool: Tool, result: &'static str, bytes: u64) {
        let labels = vec![("tool", tool.name().to_owned()), ("result", result.to_owned())];
        self.files.get_or_create(&labels).inc();
        self.bytes.get_or_create(&labels).inc_by(bytes);
    }
}

//! What a step may use.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Network;
use crate::problem::Fault;

/// A day, as the longest `timeout_s`.
const CPU_S: RangeInclusive<u64> = 1..=86_400;
/// Below 16 MB no interpreter starts.
const MEMORY_MB: RangeInclusive<u64> = 16..=262_144;
const DISK_MB: RangeInclusive<u64> = 1..=1_048_576;
/// Threads count as processes, so few programs run with less than a handful.
const PROCESSES: RangeInclusive<u64> = 1..=4096;

/// What a step may use. What is absent is the driver's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Seconds of processor time of a program and all that it starts, 1 to 86,400.
    #[schemars(range(min = 1, max = 86_400))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_s: Option<u64>,
    /// Memory in MiB, 16 to 262,144.
    #[schemars(range(min = 16, max = 262_144))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u64>,
    /// Files in MiB, 1 to 1,048,576.
    #[schemars(range(min = 1, max = 1_048_576))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_mb: Option<u64>,
    /// Processes and threads at once, 1 to 4,096.
    #[schemars(range(min = 1, max = 4096))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<u64>,
    /// `none`, `proxy` (from L2 on) or `all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
}

impl Resources {
    /// What is out of range; `pointer` is where they are written.
    pub fn faults(&self, pointer: &str) -> Vec<Fault> {
        let numbers = [
            ("cpu_s", self.cpu_s, CPU_S),
            ("memory_mb", self.memory_mb, MEMORY_MB),
            ("disk_mb", self.disk_mb, DISK_MB),
            ("processes", self.processes, PROCESSES),
        ];
        let fault = |(name, number, range): (&str, Option<u64>, RangeInclusive<u64>)| {
            let number = number.filter(|number| !range.contains(number))?;
            let detail = format!("must be a whole number from {} to {}, not {number}", range.start(), range.end());
            Some(Fault::new(format!("{pointer}/{name}"), detail))
        };
        numbers.into_iter().filter_map(fault).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Network, Resources};

    fn pointers(value: serde_json::Value) -> Vec<String> {
        let read: Resources = serde_json::from_value(value).expect("resources");
        read.faults("/steps/0/resources").into_iter().map(|fault| format!("{} {}", fault.pointer, fault.detail)).collect()
    }

    #[test]
    fn every_number_has_bounds_and_all_faults_are_named() {
        assert!(pointers(json!({})).is_empty());
        assert!(pointers(json!({"cpu_s": 1, "memory_mb": 16, "disk_mb": 1, "processes": 1})).is_empty());
        assert!(pointers(json!({"cpu_s": 86_400, "memory_mb": 262_144, "disk_mb": 1_048_576, "processes": 4096})).is_empty());
        assert_eq!(
            pointers(json!({"cpu_s": 0, "memory_mb": 15, "disk_mb": 1_048_577, "processes": u64::MAX})),
            [
                "/steps/0/resources/cpu_s must be a whole number from 1 to 86400, not 0",
                "/steps/0/resources/memory_mb must be a whole number from 16 to 262144, not 15",
                "/steps/0/resources/disk_mb must be a whole number from 1 to 1048576, not 1048577",
                "/steps/0/resources/processes must be a whole number from 1 to 4096, not 18446744073709551615",
            ]
        );
    }

    #[test]
    fn what_is_not_written_is_absent_and_what_is_unknown_is_refused() {
        let written = json!({"cpu_s": 60, "memory_mb": 512, "disk_mb": 1024, "processes": 64, "network": "none"});
        let read: Resources = serde_json::from_value(written.clone()).expect("resources");
        assert_eq!(read.network, Some(Network::None));
        assert_eq!(serde_json::to_value(&read).expect("JSON"), written);
        assert_eq!(serde_json::to_value(Resources::default()).expect("JSON"), json!({}));
        for bad in
            [json!({"gpu": 1}), json!({"cpu_s": -1}), json!({"cpu_s": 1.5}), json!({"cpu_s": "1"}), json!({"network": "None"}), json!([])]
        {
            assert!(serde_json::from_value::<Resources>(bad.clone()).is_err(), "{bad}");
        }
    }
}

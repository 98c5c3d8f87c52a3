use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Takes output as it arrives: whether it is of standard output, and the bytes.
pub(crate) type Sink<'a> = dyn FnMut(bool, &[u8]) + Send + 'a;

/// A program to be run on a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exec {
    pub argv: Vec<String>,
    /// Beside these it has what the machine's image sets, and nothing of the worker's.
    pub env: BTreeMap<String, String>,
}

impl Exec {
    /// Most bytes that are read of what a script prints, of each stream.
    pub(super) const SCRIPT_BYTES: usize = 64 << 10;

    /// A script of this module with its arguments. Bash reads no file before it (`-p`), whatever the environment says.
    pub(super) fn script(script: &str, arguments: &[&str]) -> Self {
        let argv = ["/bin/bash", "-p", "-c", script, "nofx"].iter().chain(arguments).map(|text| (*text).to_owned()).collect();
        Self { argv, env: BTreeMap::new() }
    }
}

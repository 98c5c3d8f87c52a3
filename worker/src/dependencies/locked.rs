use std::collections::BTreeMap;

use super::Digest;

/// Whose cache a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tool {
    Cargo,
    Npm,
    Pip,
}

impl Tool {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cargo => "cargo",
            Self::Npm => "npm",
            Self::Pip => "pip",
        }
    }

    /// Variables by which a step gives the tool another cache than the one in its home, or other settings.
    fn elsewhere(self) -> &'static [&'static str] {
        match self {
            Self::Cargo => &["CARGO_HOME"],
            Self::Npm => &["npm_config_cache", "NPM_CONFIG_CACHE"],
            Self::Pip => &["PIP_CACHE_DIR", "PIP_CONFIG_FILE", "PIP_FIND_LINKS", "XDG_CACHE_HOME"],
        }
    }
}

/// A file of a registry that a lock file names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Locked {
    pub tool: Tool,
    pub name: String,
    pub version: String,
    pub digest: Digest,
}

/// Most files of one folder's lock files; more are downloaded.
const FILES: usize = 5000;

/// Those that can be given to a process with this environment, each once.
pub(super) fn usable(mut all: Vec<Locked>, env: &BTreeMap<String, String>) -> Vec<Locked> {
    if env.contains_key("HOME") {
        return vec![];
    }
    all.retain(|one| one.tool.elsewhere().iter().all(|name| !env.contains_key(*name)));
    all.sort();
    all.dedup();
    // Cargo takes what lies at a name without looking into it, so of one name there must be one digest.
    let mut names: BTreeMap<(String, String), usize> = BTreeMap::new();
    for one in all.iter().filter(|one| one.tool == Tool::Cargo) {
        *names.entry((one.name.clone(), one.version.clone())).or_default() += 1;
    }
    all.retain(|one| one.tool != Tool::Cargo || names.get(&(one.name.clone(), one.version.clone())) == Some(&1));
    all.truncate(FILES);
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Digest, Locked, Tool, usable};

    fn locked(tool: Tool, name: &str, digit: &str) -> Locked {
        let digest = Digest::sha256(&digit.repeat(64)).expect("a digest");
        Locked { tool, name: name.to_owned(), version: "1.0.0".to_owned(), digest }
    }

    #[test]
    fn a_crate_that_two_registries_have_is_given_from_none() {
        let all =
            vec![locked(Tool::Cargo, "a", "1"), locked(Tool::Cargo, "a", "2"), locked(Tool::Cargo, "b", "3"), locked(Tool::Npm, "a", "4")];
        let none = BTreeMap::new();
        let found = usable([all.clone(), all.clone()].concat(), &none);
        assert_eq!(found, [locked(Tool::Cargo, "b", "3"), locked(Tool::Npm, "a", "4")], "each once");
        for (name, left) in [("HOME", 0), ("CARGO_HOME", 1), ("npm_config_cache", 1), ("PATH", 2)] {
            assert_eq!(usable(all.clone(), &BTreeMap::from([(name.to_owned(), "/x".to_owned())])).len(), left, "{name}");
        }
    }
}

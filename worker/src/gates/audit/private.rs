//! Where a tool runs so that only the plan configures it: its home and its folders are new, and its environment names no others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nofx_shared::engine::Failure;

use super::auditor::Run;
use crate::drivers::Scratch;

/// Variables that lead to files with settings or programs: without them these are below the home.
const UNSET: &[&str] = &["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "CARGO_HOME"];

/// What tools must not take from a folder, be it the workspace or one above their own.
const SET: &[(&str, &str)] = &[
    // A repository names another yarn or pnpm, which would be run.
    ("COREPACK_ENABLE_PROJECT_SPEC", "0"),
    ("YARN_IGNORE_PATH", "1"),
    ("PIP_CONFIG_FILE", "/dev/null"),
    // The build of a source package is a program of whoever published it.
    ("PIP_ONLY_BINARY", ":all:"),
    ("UV_NO_CONFIG", "1"),
    ("GOENV", "off"),
    ("GOWORK", "off"),
    ("GOPACKAGESDRIVER", "off"),
    // What go.mod and go.sum name, not what `vendor` holds. Modules that can be deleted, so that the home can. No git in the workspace.
    ("GOFLAGS", "-mod=readonly -modcacherw -buildvcs=false"),
];

pub(super) struct Private {
    scratch: Scratch,
    pub env: BTreeMap<String, String>,
}

impl Private {
    /// `env`: the environment that the plan gives.
    pub(super) fn new(env: &BTreeMap<String, String>) -> Result<Self, Failure> {
        let scratch = Scratch::new("audit")?;
        let home = scratch.path().join("home");
        create(&home)?;
        let mut env = env.clone();
        env.retain(|name, _| !UNSET.contains(&name.as_str()));
        env.extend(SET.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        env.insert("HOME".to_owned(), home.to_string_lossy().into_owned());
        // Yarn reads files with this name in all folders above its own: nobody can have written one whose name cannot be guessed.
        let unknown = scratch.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        env.insert("YARN_RC_FILENAME".to_owned(), format!(".{unknown}"));
        Ok(Self { scratch, env })
    }

    /// A folder with the files of a run; `name` is another one for each.
    pub(super) fn folder(&self, name: usize, run: &Run) -> Result<PathBuf, Failure> {
        let folder = self.scratch.path().join(name.to_string());
        create(&folder)?;
        for (name, text) in &run.files {
            let path = folder.join(name);
            path.parent().map_or(Ok(()), create)?;
            std::fs::write(&path, text).map_err(|error| failed(&path, &error))?;
        }
        Ok(folder)
    }
}

fn create(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::transient(format!("could not write {} for the audit: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Private;
    use crate::gates::audit::auditor::Run;

    #[test]
    fn only_the_plan_configures_a_tool() {
        let leading = [
            "HOME",
            "XDG_CONFIG_HOME",
            "CARGO_HOME",
            "YARN_RC_FILENAME",
            "YARN_IGNORE_PATH",
            "COREPACK_ENABLE_PROJECT_SPEC",
            "PIP_CONFIG_FILE",
            "PIP_ONLY_BINARY",
            "UV_NO_CONFIG",
            "GOENV",
            "GOFLAGS",
            "GOWORK",
            "GOPACKAGESDRIVER",
        ];
        let leading = leading.map(|name| (name, "/workspace/vendor"));
        let given = leading.into_iter().chain([("npm_config_registry", "https://registry.example")]);
        let given: BTreeMap<String, String> = given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let (one, other) = (Private::new(&given).expect("a folder"), Private::new(&given).expect("a folder"));
        let about_the_workspace: Vec<_> =
            one.env.iter().filter(|(_, value)| value.contains("workspace") || value.contains("vendor")).collect();
        assert!(about_the_workspace.is_empty(), "{about_the_workspace:?}");
        assert_eq!(one.env["npm_config_registry"], "https://registry.example");
        assert_eq!(std::fs::read_dir(&one.env["HOME"]).expect("a folder").count(), 0);
        assert_ne!(one.env["YARN_RC_FILENAME"], other.env["YARN_RC_FILENAME"]);
    }

    #[test]
    fn a_run_has_its_files_and_no_others() {
        let private = Private::new(&BTreeMap::new()).expect("a folder");
        let folder = private.folder(0, &Run::of([("a", "1"), ("w/0/b", "2")])).expect("written");
        let next = private.folder(1, &Run::of([("c", "3")])).expect("written");
        let names = |dir: &std::path::Path| {
            let mut names: Vec<_> = std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
            names.sort();
            names
        };
        assert_eq!((names(&folder), names(&next)), (vec!["a".into(), "w".into()], vec!["c".into()]));
        assert_eq!(std::fs::read_to_string(folder.join("w/0/b")).expect("read"), "2");
    }
}

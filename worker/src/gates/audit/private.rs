//! Where a tool runs so that only the plan configures it: its home and its folders are new, and its environment names no others.

use std::collections::BTreeMap;
use std::path::Path;

use nofx_shared::engine::Failure;
use uuid::Uuid;

use crate::drivers::Scratch;
use crate::gates::context::GateContext;
use crate::workspace::Folder;

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

/// Where the operator's database of advisories for Rust is.
const ADVISORY_DB: &str = "NOFX_ADVISORY_DB";

pub(super) struct Private {
    scratch: Scratch,
    pub env: BTreeMap<String, String>,
}

impl Private {
    /// With the environment that the plan gives, but for what leads elsewhere.
    pub(super) async fn new(context: &GateContext<'_>) -> Result<Self, Failure> {
        let scratch = context.processes().scratch(Some(context.workspace.path())).await?;
        let env = environment(context.env, scratch.path(), context.advisory_db);
        let private = Self { scratch, env };
        private.write(vec![("home/.nofx".to_owned(), String::new())]).await?;
        Ok(private)
    }

    /// A folder with these files, by their names; `name` is another one for each.
    pub(super) async fn folder(&self, context: &GateContext<'_>, name: usize, files: Vec<(String, String)>) -> Result<Folder, Failure> {
        self.write(files.into_iter().map(|(file, text)| (format!("{name}/{file}"), text)).collect()).await?;
        // Also when the run has no files.
        self.write(vec![(format!("{name}/.nofx"), String::new())]).await?;
        let scratch = Folder::new(context.processes(), self.scratch.path().to_owned())?;
        scratch.below(context.processes(), Some(&name.to_string())).await
    }

    async fn write(&self, all: Vec<(String, String)>) -> Result<(), Failure> {
        let files = self.scratch.files()?;
        let written = tokio::task::spawn_blocking(move || {
            all.iter().try_for_each(|(name, text)| files.write(name, text.as_bytes()).map_err(|why| format!("{name} {why}")))
        });
        let written = written.await.map_err(|error| error.to_string()).flatten();
        written.map_err(|why| Failure::transient(format!("could not write for the audit: {why}")))
    }
}

fn environment(given: &BTreeMap<String, String>, scratch: &Path, advisory_db: Option<&Path>) -> BTreeMap<String, String> {
    let mut env = given.clone();
    env.retain(|name, _| !UNSET.contains(&name.as_str()));
    env.extend(SET.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    // The operator's, or none.
    env.remove(ADVISORY_DB);
    env.extend(advisory_db.map(|path| (ADVISORY_DB.to_owned(), path.to_string_lossy().into_owned())));
    env.insert("HOME".to_owned(), scratch.join("home").to_string_lossy().into_owned());
    // Yarn reads files with this name in all folders above its own: nobody can have written one whose name cannot be guessed.
    env.insert("YARN_RC_FILENAME".to_owned(), format!(".{}", Uuid::now_v7().simple()));
    env
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use nofx_shared::secrets::Mask;
    use tokio_util::sync::CancellationToken;

    use super::{Private, environment};
    use crate::drivers::Processes;
    use crate::gates::audit::auditor::Run;
    use crate::gates::context::{GateContext, Runner};
    use crate::workspace::Folder;

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
            "NOFX_ADVISORY_DB",
        ];
        let leading = leading.map(|name| (name, "/workspace/vendor"));
        let given = leading.into_iter().chain([("npm_config_registry", "https://registry.example")]);
        let given: BTreeMap<String, String> = given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let (one, other) = (environment(&given, Path::new("/scratch"), None), environment(&given, Path::new("/scratch"), None));
        let about_the_workspace: Vec<_> = one.iter().filter(|(_, value)| value.contains("workspace") || value.contains("vendor")).collect();
        assert!(about_the_workspace.is_empty(), "{about_the_workspace:?}");
        assert_eq!((one["npm_config_registry"].as_str(), one["HOME"].as_str()), ("https://registry.example", "/scratch/home"));
        let operators = environment(&given, Path::new("/scratch"), Some(Path::new("/advisory db")));
        assert_eq!((one.get("NOFX_ADVISORY_DB"), operators["NOFX_ADVISORY_DB"].as_str()), (None, "/advisory db"));
        assert_ne!(one["YARN_RC_FILENAME"], other["YARN_RC_FILENAME"]);
    }

    #[tokio::test]
    async fn a_run_has_its_files_and_no_others() {
        let (workspace, env) = (tempfile::tempdir().expect("a folder"), BTreeMap::new());
        let (processes, stop) = (Processes::own(), CancellationToken::new());
        let runner = Runner::OnTheSpot { processes: &processes, stop: &stop };
        let folder = Folder::new(&processes, workspace.path().to_owned()).expect("it is there");
        let context = GateContext { workspace: folder, env: &env, mask: &Mask::default(), advisory_db: None, runner, begun: None };
        let private = Private::new(&context).await.expect("a folder");
        let folder = private.folder(&context, 0, Run::of([("a", "1"), ("w/0/b", "2")]).files).await.expect("written");
        let next = private.folder(&context, 1, Run::of([("c", "3")]).files).await.expect("written");
        let names = |folder: &Folder| {
            let names = folder.files().list("").expect("a list").expect("a folder");
            names.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!((names(&folder), names(&next)), (vec![".nofx".into(), "a".into(), "w".into()], vec![".nofx".to_owned(), "c".into()]));
        assert_eq!(folder.files().read("w/0/b", 9), Ok(Some(b"2".to_vec())));
    }
}

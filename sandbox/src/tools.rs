//! The folders of toolchains that are there, and which of them a step sees.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nofx_shared::drivers::Toolchain;
use nofx_shared::settings::ToolFolder;

/// By their own paths: rules follow no links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tools(Vec<ToolFolder>);

/// What a program may read beside the system, and what of all that it may not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub read_only: Vec<PathBuf>,
    pub hidden: Vec<PathBuf>,
}

impl Tools {
    pub(crate) fn of(folders: &[ToolFolder]) -> Self {
        let there = |folder: &ToolFolder| Some(ToolFolder { path: folder.path.canonicalize().ok()?, toolchain: folder.toolchain.clone() });
        let mut there: Vec<ToolFolder> = folders.iter().filter_map(there).collect();
        there.sort();
        there.dedup();
        Self(there)
    }

    /// Each once.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = self.0.iter().map(|folder| folder.path.clone()).collect();
        paths.dedup();
        paths
    }

    pub(crate) fn retain(&mut self, is_kept: impl Fn(&Path) -> bool) {
        self.0.retain(|folder| is_kept(&folder.path));
    }

    /// The toolchains of which a folder is there.
    pub(crate) fn names(&self) -> BTreeSet<Toolchain> {
        self.0.iter().filter_map(|folder| folder.toolchain.clone()).collect()
    }

    /// Where a toolchain is.
    pub(crate) fn folders(&self, name: &Toolchain) -> Vec<&Path> {
        self.0.iter().filter(|folder| folder.toolchain.as_ref() == Some(name)).map(|folder| folder.path.as_path()).collect()
    }

    /// What a step sees that names toolchains; none: it names none, and sees all. Folders without a name are seen, unless they are in one of a
    /// toolchain that is not named.
    pub(crate) fn shown(&self, named: Option<&[Toolchain]>) -> Result<Shown, String> {
        let Some(named) = named else { return Ok(Shown { read_only: self.paths(), hidden: vec![] }) };
        let there = self.names();
        if let Some(unknown) = named.iter().find(|name| !there.contains(name)) {
            return Err(format!("this worker has no toolchain `{unknown}`; it has {}", list(&there)));
        }
        let is_named = |folder: &ToolFolder| folder.toolchain.as_ref().is_some_and(|name| named.contains(name));
        let seen: BTreeSet<&Path> = self.0.iter().filter(|folder| is_named(folder)).map(|folder| folder.path.as_path()).collect();
        let of_others = self.0.iter().filter(|folder| folder.toolchain.is_some() && !seen.contains(folder.path.as_path()));
        let mut hidden: Vec<PathBuf> = of_others.map(|folder| folder.path.clone()).collect();
        hidden.dedup();
        let is_hidden = |path: &Path| hidden.iter().any(|hidden| path.starts_with(hidden));
        let mut read_only = self.paths();
        read_only.retain(|path| seen.contains(path.as_path()) || !is_hidden(path));
        Ok(Shown { read_only, hidden })
    }
}

/// For people.
pub(crate) fn list(names: &BTreeSet<Toolchain>) -> String {
    let all: Vec<&str> = names.iter().map(Toolchain::as_str).collect();
    if all.is_empty() { "none with a name".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use nofx_shared::drivers::Toolchain;
    use nofx_shared::settings::ToolFolder;

    use super::{Shown, Tools};

    fn name(text: &str) -> Toolchain {
        text.to_owned().try_into().expect("a name")
    }

    fn folder(toolchain: Option<&str>, path: &str) -> ToolFolder {
        ToolFolder { path: path.into(), toolchain: toolchain.map(name) }
    }

    fn paths(all: &[&str]) -> Vec<PathBuf> {
        all.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn a_step_sees_the_toolchains_that_it_names_and_what_has_no_name() {
        let tools = Tools(vec![
            folder(None, "/opt/rust/bin"),
            folder(Some("all"), "/opt/shared"),
            folder(Some("rust"), "/opt/shared"),
            folder(None, "/opt/tools"),
            folder(Some("node"), "/usr/bin/node"),
            folder(Some("rust"), "/opt/rust"),
        ]);
        let shown = |named: &[&str]| tools.shown(Some(&named.iter().map(|text| name(text)).collect::<Vec<_>>()));
        let rust =
            Shown { read_only: paths(&["/opt/rust/bin", "/opt/shared", "/opt/tools", "/opt/rust"]), hidden: paths(&["/usr/bin/node"]) };
        assert_eq!(shown(&["rust"]), Ok(rust), "one that it names by one of its names is seen");
        let none = Shown { read_only: paths(&["/opt/tools"]), hidden: paths(&["/opt/shared", "/usr/bin/node", "/opt/rust"]) };
        assert_eq!(shown(&[]), Ok(none), "what is in a hidden folder is hidden");
        assert_eq!(tools.shown(None).map(|shown| (shown.read_only.len(), shown.hidden.len())), Ok((5, 0)));
        assert_eq!(shown(&["rust", "go"]), Err("this worker has no toolchain `go`; it has all, node, rust".to_owned()));
        let empty = Tools::default().shown(Some(&[name("go")]));
        assert!(empty.is_err_and(|why| why.ends_with("it has none with a name")));
    }

    #[test]
    fn folders_that_are_not_there_are_none() {
        let dir = tempfile::tempdir().expect("a folder");
        let there = dir.path().to_str().expect("text");
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(there, &link).expect("a link");
        let tools = Tools::of(&[
            folder(Some("rust"), there),
            folder(Some("node"), "/no/such/folder"),
            folder(Some("rust"), link.to_str().expect("text")),
        ]);
        let real = dir.path().canonicalize().expect("a path");
        assert_eq!(
            (tools.names().into_iter().collect::<Vec<_>>(), tools.folders(&name("rust"))),
            (vec![name("rust")], vec![real.as_path()])
        );
    }
}

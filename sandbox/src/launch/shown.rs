//! What of a folder a program may read when something in it is hidden: Landlock allows whole trees, and takes nothing back.

use std::fs::read_dir;
use std::path::{Path, PathBuf};

/// Trees, and folders of which the program sees the names only.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub trees: Vec<PathBuf>,
    pub names: Vec<PathBuf>,
}

impl Parts {
    /// Of a path whose links are followed; a path that is not there has none.
    pub(super) fn of(path: &Path, hidden: &[PathBuf]) -> Self {
        let mut parts = Self::default();
        // Of hidden folders the own paths are known.
        if let Ok(path) = path.canonicalize() {
            parts.add(&path, hidden);
        }
        parts.trees.sort();
        parts
    }

    fn add(&mut self, path: &Path, hidden: &[PathBuf]) {
        if hidden.iter().any(|hidden| path.starts_with(hidden)) {
            return;
        }
        if !hidden.iter().any(|hidden| hidden.starts_with(path)) {
            return self.trees.push(path.to_owned());
        }
        self.names.push(path.to_owned());
        let entries = read_dir(path).into_iter().flatten().flatten();
        // A link needs no rule, and with one would be the way to what it names.
        for (entry, kind) in entries.map(|entry| (entry.path(), entry.file_type())) {
            if kind.is_ok_and(|kind| !kind.is_symlink()) {
                self.add(&entry, hidden);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::Parts;

    #[test]
    fn a_folder_with_something_hidden_is_its_other_parts() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path().canonicalize().expect("a path");
        for folder in ["usr/bin", "usr/local/rust/bin", "usr/local/lib", "usr/share"] {
            std::fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        for file in ["usr/bin/sh", "usr/bin/node"] {
            std::fs::write(root.join(file), "").expect("a file");
        }
        symlink(root.join("usr/local/rust/bin"), root.join("usr/local/lib/link")).expect("a link");
        symlink(root.join("usr/local/rust"), root.join("usr/local/link")).expect("a link");
        symlink(root.join("usr"), root.join("link")).expect("a link");
        let all = |names: &[&str]| names.iter().map(|name| root.join(name)).collect::<Vec<PathBuf>>();
        let hidden = all(&["usr/local/rust", "usr/bin/node", "elsewhere"]);
        let parts = Parts::of(&root.join("link"), &hidden);
        assert_eq!(parts.trees, all(&["usr/bin/sh", "usr/local/lib", "usr/share"]), "no link leads to what is hidden");
        let mut names = parts.names;
        names.sort();
        assert_eq!(names, all(&["usr", "usr/bin", "usr/local"]));
        assert_eq!(Parts::of(&root.join("usr/local/rust/bin"), &hidden), Parts::default());
        assert_eq!(Parts::of(&root.join("usr/share"), &hidden).trees, all(&["usr/share"]));
        assert_eq!(Parts::of(&root.join("none"), &hidden), Parts::default());
    }
}

use std::path::{Path, PathBuf};

use super::Reader;
use super::read::certificates;
use crate::drivers::Toolchain;

/// A folder that steps may read, beside those of the system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToolFolder {
    pub path: PathBuf,
    /// The toolchain that it belongs to: a step that names toolchains sees those only. None: every step sees it.
    pub toolchain: Option<Toolchain>,
}

/// Folders of toolchains in a home, beside those in `PATH`.
const IN_HOME: [&str; 6] = [".rustup", ".pyenv", ".nvm", ".volta", ".asdf", ".local/share/uv"];
/// Whose toolchains are in folders of a home. What else is there has no name, and every step sees it.
const NAMES: [(&str, &str); 6] =
    [(".cargo", "rust"), (".rustup", "rust"), (".pyenv", "python"), (".local/share/uv", "python"), (".nvm", "node"), (".volta", "node")];

impl Reader {
    /// `NOFX_TOOLCHAINS`, with the folder of `NOFX_ADVISORY_DB` and the file of `SSL_CERT_FILE`.
    pub(super) fn toolchains(&mut self) -> Vec<ToolFolder> {
        let mut all = match self.text("NOFX_TOOLCHAINS") {
            Some(text) => self.named(&text),
            None => {
                let home = self.text("HOME").map(PathBuf::from);
                let in_home = home.iter().flat_map(|home| IN_HOME.map(|name| home.join(name)));
                let all = self.text("PATH").iter().flat_map(|path| absolute(path)).chain(in_home).collect::<Vec<_>>();
                all.into_iter().map(|path| ToolFolder { toolchain: name_in(home.as_deref(), &path), path }).collect()
            }
        };
        let unnamed = |path: PathBuf| ToolFolder { path, toolchain: None };
        all.extend(self.advisory_db().map(unnamed));
        all.extend(certificates().map(PathBuf::from).map(unnamed));
        all.sort();
        all.dedup();
        all
    }

    /// Entries `folder` and `name=folder`.
    fn named(&mut self, text: &str) -> Vec<ToolFolder> {
        let mut all = vec![];
        for entry in text.split(':') {
            match entry.split_once('=').filter(|_| !entry.starts_with('/')) {
                None => all.extend(absolute(entry).map(|path| ToolFolder { path, toolchain: None })),
                Some((name, path)) => match Toolchain::try_from(name.to_owned()) {
                    Ok(name) if Path::new(path).is_absolute() => all.push(ToolFolder { path: path.into(), toolchain: Some(name) }),
                    Ok(_) => self.problems.push(format!("NOFX_TOOLCHAINS: `{entry}`: `{path}` is no absolute path")),
                    Err(why) => self.problems.push(format!("NOFX_TOOLCHAINS: `{entry}`: {why}")),
                },
            }
        }
        all
    }
}

fn absolute(text: &str) -> impl Iterator<Item = PathBuf> {
    std::env::split_paths(text).filter(|path| path.is_absolute())
}

fn name_in(home: Option<&Path>, path: &Path) -> Option<Toolchain> {
    let below = path.strip_prefix(home?).ok()?;
    let (_, name) = NAMES.into_iter().find(|(folder, _)| below.starts_with(folder))?;
    Toolchain::try_from(name.to_owned()).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Reader, ToolFolder, name_in};

    fn folder(toolchain: Option<&str>, path: &str) -> ToolFolder {
        ToolFolder { path: path.into(), toolchain: toolchain.map(|name| name.to_owned().try_into().expect("a name")) }
    }

    #[test]
    fn folders_have_the_names_that_the_operator_gives_them() {
        let mut reader = Reader::default();
        let all = reader.named("/opt/tools:rust=/opt/rust:rust=/opt/cargo:relative::/opt/a=b");
        assert_eq!(
            all,
            [folder(None, "/opt/tools"), folder(Some("rust"), "/opt/rust"), folder(Some("rust"), "/opt/cargo"), folder(None, "/opt/a=b"),]
        );
        assert!(reader.problems.is_empty(), "{:?}", reader.problems);
        assert_eq!(reader.named("Rust=/opt/rust:node=node:=/opt"), []);
        assert_eq!(reader.problems.len(), 3, "{:?}", reader.problems);
        assert!(reader.problems[1].contains("`node` is no absolute path"), "{:?}", reader.problems);
    }

    #[test]
    fn the_usual_folders_of_a_home_have_names() {
        let name = |path: &str| name_in(Some(Path::new("/home/ada")), Path::new(path)).map(String::from);
        assert_eq!(name("/home/ada/.cargo/bin").as_deref(), Some("rust"));
        assert_eq!(name("/home/ada/.local/share/uv").as_deref(), Some("python"));
        for none in ["/home/ada/.local/bin", "/usr/bin", "/home/ada/.cargoes", "/home/bob/.cargo/bin"] {
            assert_eq!(name(none), None, "{none}");
        }
        assert_eq!(name_in(None, Path::new("/x")), None);
    }
}

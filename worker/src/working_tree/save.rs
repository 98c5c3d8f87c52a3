//! The folder of the evidence: `gate-<name>.json`, as in a run, and beside it the log. What an earlier call left there is removed first, so
//! that no old verdict is taken for a new one.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::options::{GateOptions, GateVerdict, Refused};
use crate::gates::{GateResult, document};
use crate::handlers;

pub(super) struct Out {
    dir: PathBuf,
    /// Names that are taken: a plan may have a gate twice.
    names: Vec<String>,
}

impl Out {
    pub(super) fn open(options: &GateOptions) -> Result<Self, Refused> {
        let dir = options.out.clone().map_or_else(|| default(&options.dir), Ok)?;
        let failed = |error: io::Error| Refused(format!("could not use the folder {}: {error}", dir.display()));
        if !dir.exists() {
            fs::create_dir_all(&dir).map_err(failed)?;
            // Evidence is no part of the tree that the next gate judges.
            fs::write(dir.join(".gitignore"), "*\n").map_err(failed)?;
        }
        for (handler, _) in handlers::gates() {
            for number in 1.. {
                let name = name_of(handler.tool(), number);
                let found = [".json", ".log"].map(|ending| remove(&dir.join(format!("{name}{ending}"))));
                if !found.into_iter().collect::<io::Result<Vec<bool>>>().map_err(failed)?.contains(&true) {
                    break;
                }
            }
        }
        Ok(Self { dir, names: vec![] })
    }

    /// Saves the log and the evidence.
    pub(super) fn save(&mut self, step: String, result: GateResult) -> Result<GateVerdict, Refused> {
        let GateResult { mut evidence, log } = result;
        let name = (1..).map(|number| name_of(&evidence.gate, number)).find(|name| !self.names.contains(name)).unwrap_or_default();
        if !log.is_empty() {
            let file = format!("{name}.log");
            self.write(&file, log.as_bytes())?;
            evidence.log = Some(file);
        }
        let text = document(&evidence).map_err(|failure| Refused(failure.message))?;
        let file = self.write(&format!("{name}.json"), &text)?;
        self.names.push(name);
        Ok(GateVerdict { name: step, evidence, file })
    }

    /// A new file: a link of the tree's that has its name is not followed.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Refused> {
        let path = self.dir.join(name);
        let write = || -> io::Result<()> {
            remove(&path)?;
            fs::OpenOptions::new().write(true).create_new(true).open(&path)?.write_all(bytes)
        };
        write().map_err(|error| Refused(format!("could not write {}: {error}", path.display())))?;
        Ok(path)
    }
}

/// The folder in the working tree. A link would lead out of it, and whoever wrote the tree may have made one.
fn default(tree: &Path) -> Result<PathBuf, Refused> {
    for name in [".nofx", ".nofx/gates"] {
        let dir = tree.join(name);
        if dir.is_symlink() {
            return Err(Refused(format!("{} is a link: remove it, or name another folder with --out", dir.display())));
        }
    }
    Ok(tree.join(".nofx/gates"))
}

/// `gate-lint`, and `gate-lint-2` for the second one.
fn name_of(tool: &str, number: usize) -> String {
    let name = tool.replacen(':', "-", 1);
    if number == 1 { name } else { format!("{name}-{number}") }
}

/// Removes a file or a link; whether there was one.
fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

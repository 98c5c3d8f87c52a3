//! The bill of a workspace: the files in its root folder that declare or lock packages, and what is installed in it.

use std::collections::BTreeSet;
use std::path::Path;

use nofx_shared::engine::Failure;

use super::bom::Bom;
use super::installed;
use super::locks::requirements::{self, INCLUDES, beside};
use super::locks::{LOCKS, decode};
use crate::workspace::Beneath;

impl Bom {
    /// Adds the packages of a workspace; what cannot be read is a fault of the bill.
    pub(super) fn add_workspace(&mut self, dir: &Path) -> Result<(), Failure> {
        let folder = Beneath::open(dir).map_err(|error| Failure::permanent(format!("could not open {}: {error}", dir.display())))?;
        for (name, read) in LOCKS {
            if let Some(text) = decode(&folder, name).transpose() {
                self.add_packages(name, text.and_then(|text| read(&text)));
            }
        }
        read_requirements(&folder, self);
        installed::node(&folder, self);
        installed::python(&folder, self);
        Ok(())
    }
}

/// requirements.txt and the files that it includes, each once.
fn read_requirements(folder: &Beneath, bom: &mut Bom) {
    let mut known = BTreeSet::from(["requirements.txt".to_owned()]);
    let mut open = vec!["requirements.txt".to_owned()];
    while let Some(file) = open.pop() {
        match decode(folder, &file).and_then(|text| text.map(|text| requirements::read(&text)).transpose()) {
            Ok(Some(found)) => {
                for include in found.includes {
                    let path = beside(&file, &include);
                    if known.len() == INCLUDES {
                        bom.add_fault(&file, format!("includes {path}, but more than {INCLUDES} files are not read"));
                    } else if known.insert(path.clone()) {
                        open.push(path);
                    }
                }
                bom.add_packages(&file, Ok(found.packages));
            }
            Ok(None) if file == "requirements.txt" => {}
            Ok(None) => bom.add_fault(&file, "is included by a requirements file and does not exist"),
            Err(reason) => bom.add_fault(&file, reason),
        }
    }
}

#[cfg(test)]
mod tests;

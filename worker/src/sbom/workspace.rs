//! The bill of a workspace: the files in its root folder that declare or lock packages, and what is installed in it.

use std::collections::BTreeSet;

use super::bom::Bom;
use super::installed;
use super::locks::LOCKS;
use super::locks::requirements::{self, INCLUDES, beside};
use super::reading::Reading;

impl Bom {
    /// Adds the packages of a workspace; what cannot be read is a fault of the bill.
    pub(super) fn add_workspace(&mut self, folder: &Reading<'_>) {
        for (name, read) in LOCKS {
            if let Some(text) = folder.text(name).transpose() {
                self.add_packages(name, text.and_then(|text| read(&text)));
            }
        }
        read_requirements(folder, self);
        installed::node(folder, self);
        installed::python(folder, self);
    }
}

/// requirements.txt and the files that it includes, each once.
fn read_requirements(folder: &Reading<'_>, bom: &mut Bom) {
    let mut known = BTreeSet::from(["requirements.txt".to_owned()]);
    let mut open = vec!["requirements.txt".to_owned()];
    while let Some(file) = open.pop() {
        match folder.text(&file).and_then(|text| text.map(|text| requirements::read(&text)).transpose()) {
            Ok(Some(found)) => {
                for include in found.includes {
                    let path = beside(&file, &include);
                    if known.len() == INCLUDES {
                        bom.add_fault(&file, format!("includes {path}, but more than {INCLUDES} files are not read"));
                    } else if known.insert(path.clone()) {
                        open.push(path);
                    }
                }
                bom.add_packages(&file, Ok(found.packages.into_vec()));
            }
            Ok(None) if file == "requirements.txt" => {}
            Ok(None) => bom.add_fault(&file, "is included by a requirements file and does not exist"),
            Err(reason) => bom.add_fault(&file, reason),
        }
    }
}

#[cfg(test)]
mod tests;

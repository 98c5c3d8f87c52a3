//! The packages in `node_modules`, also where pnpm keeps them (`node_modules/.pnpm/<name>@<version>/node_modules`), and those below them.
//! A link there names a package that is found in its own place, or a folder of the workspace, and is not entered; one that leads out of
//! the workspace is a fault.

use serde::Deserialize;

use crate::sbom::bom::Bom;
use crate::sbom::licence::Licence;
use crate::sbom::package::{Ecosystem, Origin, Package};
use crate::sbom::reading::Reading;
use nofx_sandbox::Kind;

/// Deepest nesting of `node_modules`.
const DEPTH: usize = 32;
/// Most folders of packages.
const FOLDERS: usize = 200_000;

#[derive(Deserialize)]
struct Manifest {
    name: String,
    version: String,
    license: Option<Licence>,
    /// npm's older form.
    licenses: Option<Licence>,
}

pub(in crate::sbom) fn node(folder: &Reading<'_>, bom: &mut Bom) {
    let mut open = vec![("node_modules".to_owned(), 1)];
    let mut folders = 0;
    while let Some((dir, depth)) = open.pop() {
        let names = match folder.list(&dir) {
            Ok(names) => names.unwrap_or_default(),
            Err(reason) => {
                bom.add_fault(&dir, reason);
                continue;
            }
        };
        if depth > DEPTH {
            bom.add_fault(&dir, format!("is nested more than {DEPTH} times"));
            continue;
        }
        for (name, kind) in names {
            let path = format!("{dir}/{name}");
            match kind {
                // Programs and caches of the package manager.
                Kind::Folder if name == ".pnpm" => open.push((path, depth)),
                _ if name.starts_with('.') => {}
                Kind::Folder if name.starts_with('@') => open.push((path, depth)),
                Kind::Folder if is_store(&dir) => {
                    open.push((format!("{path}/node_modules"), depth));
                }
                Kind::Folder => {
                    folders += 1;
                    if folders > FOLDERS {
                        return bom.add_fault(&path, format!("more than {FOLDERS} packages: this one and others are left out"));
                    }
                    add(folder, &path, bom);
                    if folder.kind(&format!("{path}/node_modules")).is_some() {
                        open.push((format!("{path}/node_modules"), depth + 1));
                    }
                }
                Kind::Link => {
                    if let Err(reason) = folder.list(&path) {
                        bom.add_fault(&path, reason);
                    }
                }
                Kind::File | Kind::Other => {}
            }
        }
    }
}

/// Whether a folder is the one in which pnpm keeps packages.
fn is_store(dir: &str) -> bool {
    dir.ends_with("node_modules/.pnpm")
}

fn add(folder: &Reading<'_>, path: &str, bom: &mut Bom) {
    let file = format!("{path}/package.json");
    match folder.content(&file) {
        // An empty folder that an uninstall left.
        Ok(None) => {}
        Ok(Some(bytes)) => bom.add_packages(&file, package(&bytes).map(|package| vec![package])),
        Err(reason) => bom.add_fault(&file, reason),
    }
}

fn package(bytes: &[u8]) -> Result<Package, String> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(|error| format!("is not the package.json of a package: {error}"))?;
    let mut package = Package::new(Ecosystem::Npm, manifest.name, Some(manifest.version), Origin::Installed);
    package.licences = manifest.license.or(manifest.licenses).map(Licence::names).unwrap_or_default();
    Ok(package)
}

//! The packages of the virtual environments `.venv` and `venv`, by their metadata
//! (<https://packaging.python.org/en/latest/specifications/core-metadata/>).

use serde::Deserialize;

use crate::sbom::bom::Bom;
use crate::sbom::licence::{clean, is_expression};
use crate::sbom::package::{Ecosystem, Origin, Package};
use crate::sbom::reading::Reading;
use nofx_sandbox::Kind;

/// `direct_url.json` of a package that did not come from an index (PEP 610).
#[derive(Deserialize)]
struct DirectUrl {
    url: String,
    vcs_info: Option<VcsInfo>,
    dir_info: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct VcsInfo {
    commit_id: String,
}

pub(in crate::sbom) fn python(folder: &Reading<'_>, bom: &mut Bom) {
    for environment in [".venv", "venv"] {
        // Another folder of that name is no environment.
        if folder.kind(environment) == Some(Kind::Folder) && folder.kind(&format!("{environment}/pyvenv.cfg")).is_none() {
            continue;
        }
        for (name, kind) in list(folder, &format!("{environment}/lib"), bom) {
            if kind == Kind::Folder && name.starts_with("python") {
                add_site(folder, &format!("{environment}/lib/{name}/site-packages"), bom);
            }
        }
    }
}

fn list(folder: &Reading<'_>, path: &str, bom: &mut Bom) -> Vec<(String, Kind)> {
    folder.list(path).map(Option::unwrap_or_default).unwrap_or_else(|reason| {
        bom.add_fault(path, reason);
        vec![]
    })
}

fn add_site(folder: &Reading<'_>, site: &str, bom: &mut Bom) {
    for (name, kind) in list(folder, site, bom) {
        let metadata = if name.ends_with(".dist-info") {
            "METADATA"
        } else if name.ends_with(".egg-info") && kind == Kind::Folder {
            "PKG-INFO"
        } else {
            continue;
        };
        let file = format!("{site}/{name}/{metadata}");
        let origin = match folder.content(&format!("{site}/{name}/direct_url.json")) {
            Ok(bytes) => bytes.map_or(Ok(Origin::Installed), |bytes| direct(&bytes)),
            Err(reason) => Err(format!("direct_url.json {reason}")),
        };
        let text = folder.content(&file).and_then(|bytes| bytes.ok_or_else(|| "does not exist".to_owned()));
        let package = text.and_then(|bytes| package(&String::from_utf8_lossy(&bytes), origin?));
        bom.add_packages(&file, package.map(|package| vec![package]));
    }
}

fn direct(bytes: &[u8]) -> Result<Origin, String> {
    let found: DirectUrl = serde_json::from_slice(bytes).map_err(|error| format!("direct_url.json is not one: {error}"))?;
    Ok(match found {
        DirectUrl { url, vcs_info: Some(info), .. } => Origin::git(&url, Some(&info.commit_id)),
        DirectUrl { dir_info: Some(_), .. } => Origin::Local,
        DirectUrl { url, .. } => Origin::url(&url),
    })
}

/// The fields stand before the first empty line, like those of an e-mail; what begins with a space continues a field.
fn package(text: &str, origin: Origin) -> Result<Package, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let fields: Vec<(&str, &str)> = text
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| !line.starts_with([' ', '\t']))
        .filter_map(|line| line.split_once(':').map(|(name, value)| (name.trim(), value.trim())))
        .collect();
    let all = |name: &str| {
        let name = name.to_owned();
        fields.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(&name)).map(|(_, value)| *value)
    };
    let only = |name: &str| {
        let mut values = all(name);
        values.next().filter(|_| values.next().is_none()).ok_or_else(|| format!("does not have one `{name}`"))
    };
    let mut package = Package::new(Ecosystem::Pypi, only("Name")?, Some(only("Version")?.to_owned()), origin);
    package.licences = licences(all("License-Expression").next(), all("License").next(), all("Classifier"));
    Ok(package)
}

/// The SPDX expression where there is one, else the classifiers, which have fixed names, else the text.
fn licences<'a>(expression: Option<&str>, text: Option<&str>, classifiers: impl Iterator<Item = &'a str>) -> Vec<String> {
    let text = text.and_then(clean);
    if let Some(stated) = expression.map(str::to_owned).or_else(|| text.clone().filter(|text| is_expression(text))) {
        return vec![stated];
    }
    let of_classifier = |line: &str| line.strip_prefix("License ::").and_then(|rest| rest.rsplit("::").next()).and_then(clean);
    let named: Vec<String> = classifiers.filter_map(of_classifier).filter(|name| name != "OSI Approved").collect();
    if named.is_empty() { text.into_iter().collect() } else { named }
}

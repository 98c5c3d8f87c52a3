//! pyproject.toml (<https://packaging.python.org/en/latest/specifications/pyproject-toml/>): the project, what it needs, and what its
//! optional groups need; the tables of poetry, too. What builds it (`build-system`) is not part of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Value;

use super::requirement::{ranged, read as read_requirement};
use crate::sbom::content;
use crate::sbom::package::{Ecosystem, Origin, Package};
use crate::sbom::packages::Packages;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    project: Option<Project>,
    #[serde(default)]
    dependency_groups: BTreeMap<String, Vec<Member>>,
    #[serde(default)]
    tool: Tool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Project {
    name: String,
    version: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a member of a group is a requirement or `include-group`")]
enum Member {
    Requirement(String),
    #[serde(rename_all = "kebab-case")]
    Include {
        #[expect(dead_code, reason = "the group that it includes is read itself")]
        include_group: String,
    },
}

#[derive(Default, Deserialize)]
struct Tool {
    poetry: Option<Poetry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Poetry {
    name: Option<String>,
    version: Option<String>,
    #[serde(default)]
    dependencies: BTreeMap<String, Value>,
    #[serde(default)]
    dev_dependencies: BTreeMap<String, Value>,
    #[serde(default)]
    group: BTreeMap<String, Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    dependencies: BTreeMap<String, Value>,
}

pub(super) fn read(text: &str) -> Result<Vec<Package>, String> {
    let document: Document = content::toml(text, "a pyproject.toml")?;
    let mut packages = Packages::default();
    let mut texts: Vec<String> = vec![];
    if let Some(project) = document.project {
        packages.push(Package::new(Ecosystem::Pypi, project.name, project.version, Origin::Local))?;
        texts.extend(project.dependencies);
        texts.extend(project.optional_dependencies.into_values().flatten());
    }
    let members = document.dependency_groups.into_values().flatten();
    texts.extend(members.filter_map(|member| if let Member::Requirement(text) = member { Some(text) } else { None }));
    for text in texts {
        let shown = || text.chars().take(80).collect::<String>();
        packages.push(read_requirement(&text).ok_or_else(|| format!("`{}` is not a requirement", shown()))?)?;
    }
    if let Some(poetry) = document.tool.poetry {
        if let Some(name) = poetry.name {
            packages.push(Package::new(Ecosystem::Pypi, name, poetry.version, Origin::Local))?;
        }
        let groups = poetry.group.into_values().flat_map(|group| group.dependencies);
        for (name, value) in poetry.dependencies.into_iter().chain(poetry.dev_dependencies).chain(groups) {
            if name != "python" {
                of_poetry(&name, &value)?.into_iter().try_for_each(|package| packages.push(package))?;
            }
        }
    }
    Ok(packages.into_vec())
}

/// A dependency of poetry: a range, a table, or a list of tables for different platforms.
fn of_poetry(name: &str, value: &Value) -> Result<Vec<Package>, String> {
    let text = |table: &toml::Table, key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
    let wrong = || format!("the dependency {name} is not a range or a table");
    Ok(match value {
        // `1.0` is that version only, `^1.0` a range.
        Value::String(range) if range.starts_with(|c: char| c.is_ascii_digit()) && !range.contains(['*', ',', ' ', '|']) => {
            vec![ranged(name, &format!("=={range}"))]
        }
        Value::String(range) => vec![ranged(name, range)],
        Value::Table(table) => {
            let origin = match (text(table, "git"), text(table, "url")) {
                (Some(git), _) => Origin::git(&git, text(table, "rev").or_else(|| text(table, "tag")).as_deref()),
                (_, Some(url)) => Origin::url(&url),
                _ if table.contains_key("path") => Origin::Local,
                _ => return of_poetry(name, table.get("version").filter(|value| value.is_str()).ok_or_else(wrong)?),
            };
            vec![Package::new(Ecosystem::Pypi, name, None, origin)]
        }
        Value::Array(list) if list.iter().all(Value::is_table) => {
            list.iter().map(|one| of_poetry(name, one)).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()
        }
        _ => return Err(wrong()),
    })
}

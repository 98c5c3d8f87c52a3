//! The packages of one name, and which of them are the same.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::iter::from_fn;

use super::component::Component;
use super::package::Origin;

/// By version and origin: those without a version come first, and of one version what is installed.
#[derive(Default)]
pub(super) struct Group(BTreeMap<(Option<String>, Origin), Component>);

impl Group {
    /// Whether the package was not there yet.
    pub(super) fn add(&mut self, version: Option<String>, origin: Origin, component: Component) -> bool {
        match self.0.entry((version, origin)) {
            Entry::Vacant(place) => {
                place.insert(component);
                true
            }
            Entry::Occupied(mut known) => {
                known.get_mut().merge(component);
                false
            }
        }
    }

    /// Each package once, in order: what is installed is the package that a lock names; what is declared is the version that is locked or
    /// installed. They are made one at a time, since what is declared may belong to each of many versions.
    pub(super) fn merged(mut self) -> impl Iterator<Item = (Origin, Component)> {
        let exact = self.0.split_off(&(Some(String::new()), Origin::Installed));
        let mut vague = self.0;
        // A folder of the workspace is not what a registry has by that name.
        let local = vague.remove(&(None, Origin::Local));
        let has_local = exact.keys().any(|(_, origin)| *origin == Origin::Local);
        let (local, single) = if has_local { (local, None) } else { (None, local) };
        let declared = if exact.is_empty() { None } else { std::mem::take(&mut vague).into_values().reduce(Component::merged) };
        let single = vague.into_iter().map(|((_, origin), component)| (origin, component)).chain(single.map(|one| (Origin::Local, one)));

        let mut exact = exact.into_iter().peekable();
        let mut installed: Option<(Option<String>, Component)> = None;
        let exact = from_fn(move || {
            loop {
                let ((version, origin), mut component) = exact.next()?;
                if origin == Origin::Installed && exact.peek().is_some_and(|((next, _), _)| *next == version) {
                    installed = Some((version, component));
                    continue;
                }
                let of_version = installed.as_ref().filter(|(of, _)| *of == version).map(|(_, one)| one);
                let of_folder = local.as_ref().filter(|_| origin == Origin::Local);
                for same in [of_version, declared.as_ref(), of_folder].into_iter().flatten() {
                    component.merge(same.clone());
                }
                return Some((origin, component));
            }
        });
        single.chain(exact)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::component::Component;
    use super::super::package::{Ecosystem, Origin, Package};
    use super::Group;

    /// Each package of a name with the files that name it.
    fn merged(packages: &[(Option<&str>, Origin, &str)]) -> Vec<String> {
        let mut group = Group::default();
        for (version, origin, file) in packages {
            let package = Package::new(Ecosystem::Npm, "a", version.map(str::to_owned), origin.clone());
            let url = package.plain_url().expect("a package URL");
            group.add(package.version.clone(), origin.clone(), Component::new(package, url, &Arc::from(*file)));
        }
        let shown = group.merged().map(|(origin, component)| {
            let document = component.document(&origin);
            let files = document["evidence"]["occurrences"].as_array().expect("files").iter();
            let files: Vec<&str> = files.filter_map(|file| file["location"].as_str()).collect();
            format!("{} {}", document["bom-ref"].as_str().expect("a reference"), files.join(" "))
        });
        shown.collect()
    }

    #[test]
    fn what_is_declared_or_installed_belongs_to_what_is_locked() {
        let git = Origin::Git("git+https://h.example/a.git".to_owned());
        let declared = [(None, git, "git"), (None, Origin::Registry, "ranged"), (None, Origin::Local, "folder")];
        let git = "pkg:npm/a?vcs_url=git%2Bhttps:%2F%2Fh.example%2Fa.git git";
        assert_eq!(merged(&declared), ["pkg:npm/a ranged", git, "local:npm/a folder"]);

        let locked = [(Some("1"), Origin::Registry, "lock"), (Some("1"), Origin::Installed, "one"), (Some("2"), Origin::Installed, "two")];
        let all: Vec<_> = declared.iter().chain(&locked).cloned().collect();
        assert_eq!(merged(&all), ["local:npm/a folder", "pkg:npm/a@1 git lock one ranged", "pkg:npm/a@2 git ranged two"]);

        let all: Vec<_> = all.into_iter().chain([(Some("1"), Origin::Local, "own")]).collect();
        assert_eq!(
            merged(&all),
            ["pkg:npm/a@1 git lock one ranged", "local:npm/a@1 folder git one own ranged", "pkg:npm/a@2 git ranged two"]
        );
    }
}

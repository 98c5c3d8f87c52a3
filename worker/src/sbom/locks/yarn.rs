//! yarn.lock: two formats with one name.

use std::collections::BTreeMap;

use super::versions::one_version_each;
use super::{yarn_berry, yarn_classic};
use crate::sbom::package::{Origin, Package};

pub(super) fn read(text: &str) -> Result<Vec<Package>, String> {
    if is_berry(text) { yarn_berry::read(text) } else { yarn_classic::read(text) }
}

/// Whether yarn 2 or later wrote it.
pub(crate) fn is_berry(text: &str) -> bool {
    text.lines().any(|line| line.trim_end() == "__metadata:")
}

/// The packages of a yarn.lock that a registry could know, by name with their version: as many lists as one package has versions.
pub(crate) fn yarn_packages(text: &str) -> Result<Vec<BTreeMap<String, String>>, String> {
    let mut packages = read(text)?;
    if !is_berry(text) {
        // An entry of yarn 1 is of this machine when it has no address: a line that is missing must not take it from the list.
        packages.iter_mut().for_each(|package| package.origin = Origin::Registry);
    }
    one_version_each(packages, "-_.@/~+")
}

#[cfg(test)]
mod tests {
    use super::yarn_packages;

    fn of(text: &str) -> Result<Vec<Vec<String>>, String> {
        let lists = yarn_packages(text)?;
        Ok(lists.into_iter().map(|list| list.into_iter().map(|(name, version)| format!("{name} {version}")).collect()).collect())
    }

    #[test]
    fn each_version_of_a_package_is_in_a_list_of_its_own() {
        let expected = Ok(vec![vec!["@s/b 2.0.0".to_owned(), "a 1.0.0".to_owned()], vec!["a 1.1.0-x+1".to_owned()]]);
        let classic =
            "# yarn lockfile v1\na@^1:\n  version \"1.0.0\"\nz@npm:a@^1.1:\n  version \"1.1.0-x+1\"\n\"@s/b@2\":\n  version \"2.0.0\"\n";
        assert_eq!(of(classic), expected, "an entry without an address is listed, too");
        let berry = "__metadata:\n  version: 8\n\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n\"a@npm:1.1\":\n  version: 1.1.0-x+1\n  resolution: \"a@npm:1.1.0\"\n\"@s/b@npm:2\":\n  version: 2.0.0\n  resolution: \"@s/b@npm:2.0.0\"\n\"own@workspace:.\":\n  version: 0.0.0\n  resolution: \"own@workspace:.\"\n";
        assert_eq!(of(berry), expected);
        assert_eq!(of("# yarn lockfile v1\n"), Ok(vec![vec![]]));
    }

    #[test]
    fn what_could_be_more_than_a_name_is_refused() {
        for (name, version) in [("a", "1 2"), ("a", "1\u{e9}"), ("a b", "1"), ("a", "1;x"), ("a$(x)", "1")] {
            let text = format!("# yarn lockfile v1\n\"{name}@1\":\n  version \"{version}\"\n");
            assert!(of(&text).is_err(), "{name} {version}");
        }
    }
}

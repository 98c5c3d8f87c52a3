//! One requirement of a Python project (<https://packaging.python.org/en/latest/specifications/dependency-specifiers/>).

use super::npm::address;
use crate::sbom::package::{Ecosystem, Origin, Package};

/// `name[extra] >=1.0; marker` or `name @ address`; none when it does not begin with a name.
pub(super) fn read(text: &str) -> Option<Package> {
    let text = text.trim();
    let length = text.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(length);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']')?.1.trim_start(),
        None => rest,
    };
    if let Some(target) = rest.strip_prefix('@') {
        // A marker has a space before its semicolon.
        let target = target.split(" ;").next().unwrap_or_default().trim();
        return Some(Package::new(Ecosystem::Pypi, name, None, from(target)));
    }
    let range = rest.split(';').next().unwrap_or_default().trim().trim_start_matches('(').trim_end_matches(')').trim();
    if !range.is_empty() && !range.starts_with(['=', '<', '>', '!', '~']) {
        return None;
    }
    Some(ranged(name, range))
}

/// A package with a range of versions: one version, if the range is `==` and that version.
pub(super) fn ranged(name: &str, range: &str) -> Package {
    let exact = range.strip_prefix("===").or_else(|| range.strip_prefix("==")).map(str::trim);
    let exact = exact.filter(|version| !version.is_empty() && !version.contains(['*', ',', ' ']));
    let mut package = Package::new(Ecosystem::Pypi, name, exact.map(str::to_owned), Origin::Registry);
    package.requirement = (exact.is_none() && !range.is_empty()).then(|| range.to_owned());
    package
}

/// The origin that an address names.
pub(super) fn from(target: &str) -> Origin {
    if target.starts_with("git+") {
        // `@` before the fragment names the commit, unless it is that of a user.
        let whole = target.split('#').next().unwrap_or_default();
        match whole.rsplit_once('@').filter(|(before, commit)| before.contains("://") && !before.ends_with("//") && !commit.contains('/')) {
            Some((repository, commit)) => Origin::git(repository, Some(commit)),
            None => Origin::git(whole, None),
        }
    } else if target.starts_with("file:") {
        Origin::Local
    } else {
        address(target)
    }
}

#[cfg(test)]
mod tests {
    use super::{from, read};
    use crate::sbom::package::Origin;

    #[test]
    fn names_versions_and_ranges() {
        for (text, name, version, requirement) in [
            ("requests", "requests", None, None),
            ("Foo_Bar[a,b] == 1.0 ; python_version > '3'", "foo-bar", Some("1.0"), None),
            ("x===1.0-weird", "x", Some("1.0-weird"), None),
            ("x (>=1,<2)", "x", None, Some(">=1,<2")),
            ("x==1.*", "x", None, Some("==1.*")),
            ("x~=1.4", "x", None, Some("~=1.4")),
        ] {
            let found = read(text).expect("a requirement");
            assert_eq!(
                (found.name.as_str(), found.version.as_deref(), found.requirement.as_deref()),
                (name, version, requirement),
                "{text}"
            );
        }
        for wrong in ["", "./x", "==1", "x y", "x[a", "-e .", "é"] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn addresses_name_an_origin() {
        assert_eq!(from("git+https://h.example/a.git@v1#egg=a"), Origin::Git("git+https://h.example/a.git@v1".to_owned()));
        assert_eq!(from("git+https://user@h.example/a.git"), Origin::Git("git+https://h.example/a.git".to_owned()));
        assert_eq!(from("https://h.example/a-1.whl"), Origin::Url("https://h.example/a-1.whl".to_owned()));
        assert_eq!(from("file:///a.whl"), Origin::Local);
        assert_eq!(
            read("a @ git+ssh://git@h.example/a.git@abc").map(|found| found.origin),
            Some(Origin::Git("git+ssh://h.example/a.git@abc".to_owned()))
        );
    }
}

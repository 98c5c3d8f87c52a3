//! A package as a lock file or an installed folder names it, and its package URL.

use std::collections::BTreeSet;

use packageurl::PackageUrl;
use reqwest::Url;

use super::hash::Hash;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ecosystem {
    Cargo,
    Golang,
    Npm,
    Pypi,
}

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// It is installed, and the folder does not say where it came from.
    Installed,
    /// The ecosystem's registry or a mirror of it.
    Registry,
    /// A repository, without credentials.
    Git(String),
    /// A file at an address, without credentials.
    Url(String),
    /// A folder of the workspace or of the machine: no registry has it, so it has no package URL.
    Local,
}

#[derive(Clone, Debug)]
pub(super) struct Package {
    pub ecosystem: Ecosystem,
    pub name: String,
    /// None: it is declared, and any version that fits `requirement` would do.
    pub version: Option<String>,
    pub origin: Origin,
    pub requirement: Option<String>,
    pub licences: Vec<String>,
    /// Each is the hash of one published file of this version.
    pub hashes: BTreeSet<Hash>,
}

/// Longest name, longest version and longest requirement, in bytes.
const LENGTH: usize = 512;

impl Package {
    pub(super) fn new(ecosystem: Ecosystem, name: impl Into<String>, version: Option<String>, origin: Origin) -> Self {
        let name = name.into();
        // A folder without a name of its own is `.`.
        let name = Some(name.as_str()).filter(|_| ecosystem == Ecosystem::Pypi).map(normal).filter(|name| !name.is_empty()).unwrap_or(name);
        Self { ecosystem, name, version, origin, requirement: None, licences: vec![], hashes: BTreeSet::new() }
    }

    pub(super) fn with_hashes(mut self, hashes: impl IntoIterator<Item = Hash>) -> Self {
        self.hashes.extend(hashes);
        self
    }

    /// Why it cannot be a package.
    pub(super) fn fault(&self) -> Option<String> {
        let is_bad = |text: &str| text.is_empty() || text.len() > LENGTH || text.chars().any(char::is_control);
        let shown: String = self.name.chars().take(80).collect();
        if is_bad(&self.name) {
            Some(format!("{shown:?} is not a name of a package"))
        } else if self.version.as_deref().is_some_and(is_bad) {
            Some(format!("the version of {shown} is not one"))
        } else if self.requirement.as_ref().is_some_and(|text| text.len() > LENGTH) {
            Some(format!("the requirement of {shown} is longer than {LENGTH} bytes"))
        } else {
            None
        }
    }

    /// How much memory its texts take.
    pub(super) fn bytes(&self) -> usize {
        let texts =
            [Some(self.name.as_str()), self.version.as_deref(), self.requirement.as_deref(), self.origin.qualifier().map(|(_, text)| text)];
        let all = texts
            .into_iter()
            .flatten()
            .chain(self.licences.iter().map(String::as_str))
            .chain(self.hashes.iter().map(|hash| hash.hex.as_str()));
        all.map(|text| size_of::<String>() + text.len()).sum()
    }

    /// The package URL without what names its origin: packages with the same one are the same.
    pub(super) fn plain_url(&self) -> Result<PackageUrl<'static>, String> {
        let (kind, split) = match self.ecosystem {
            Ecosystem::Cargo => ("cargo", None),
            Ecosystem::Golang => ("golang", self.name.rsplit_once('/')),
            Ecosystem::Npm => ("npm", self.name.rsplit_once('/').filter(|(scope, _)| scope.starts_with('@'))),
            Ecosystem::Pypi => ("pypi", None),
        };
        let (namespace, name) = split.map_or((None, self.name.as_str()), |(namespace, name)| (Some(namespace), name));
        let failed = |error: packageurl::Error| format!("{} has no package URL: {error}", self.name);
        let mut url = PackageUrl::new(kind, name.to_owned()).map_err(failed)?;
        if let Some(namespace) = namespace {
            url.with_namespace(namespace.to_owned()).map_err(failed)?;
        }
        if let Some(version) = &self.version {
            url.with_version(version.clone()).map_err(failed)?;
        }
        Ok(url)
    }
}

/// The normal form of a Python project's name (PEP 503): `Zope.Interface` is `zope-interface`.
pub(super) fn normal(name: &str) -> String {
    name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// An address that may stand in a bill: without user, password, query and fragment, which may be secrets. None when it is not a URL.
fn public(address: &str) -> Option<String> {
    let mut url = Url::parse(address).ok().filter(|url| url.has_host())?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url.into())
}

impl Origin {
    /// A repository at an address, with or without `git+` before it; `commit`: what was checked out.
    pub(super) fn git(address: &str, commit: Option<&str>) -> Self {
        let plain = address.strip_prefix("git+").unwrap_or(address);
        let commit = commit.map(|commit| format!("@{commit}")).unwrap_or_default();
        // `git@host:path` is no URL, and its user is no secret, but what else may stand before the `@`.
        let scp = || plain.rsplit_once('@').map_or(plain, |(_, rest)| rest).to_owned();
        Self::Git(format!("git+{}{commit}", public(plain).unwrap_or_else(scp)))
    }

    pub(super) fn url(address: &str) -> Self {
        // What is no URL is the path of a file.
        public(address).map_or(Self::Local, Self::Url)
    }

    /// The qualifier of the package URL that names it.
    pub(super) fn qualifier(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Git(address) => Some(("vcs_url", address)),
            Self::Url(address) => Some(("download_url", address)),
            Self::Installed | Self::Registry | Self::Local => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ecosystem, Origin, Package, normal};

    #[test]
    fn package_urls_are_encoded_and_normalised() {
        for (ecosystem, name, version, url) in [
            (Ecosystem::Npm, "@babel/core", "7.0.0", "pkg:npm/%40babel/core@7.0.0"),
            (Ecosystem::Pypi, "Zope.Interface", "6.0+local", "pkg:pypi/zope-interface@6.0%2Blocal"),
            (Ecosystem::Golang, "github.com/a/b", "v1.2.3+incompatible", "pkg:golang/github.com/a/b@v1.2.3%2Bincompatible"),
            (Ecosystem::Cargo, "serde", "1.0.0", "pkg:cargo/serde@1.0.0"),
            (Ecosystem::Npm, "odd?name#x", "1", "pkg:npm/odd%3Fname%23x@1"),
        ] {
            let package = Package::new(ecosystem, name, Some(version.to_owned()), Origin::Registry);
            assert_eq!(package.plain_url().map(|found| found.to_string()).as_deref(), Ok(url));
        }
        assert_eq!(normal("__A-_.b"), "a-b");
    }

    #[test]
    fn no_credential_stands_in_an_origin() {
        let secret = Origin::git("git+https://me:hunter2@host.example/a.git?token=hunter2#x", Some("abc"));
        assert_eq!(secret, Origin::Git("git+https://host.example/a.git@abc".to_owned()));
        assert_eq!(Origin::git("git:hunter2@host:a/b.git", None), Origin::Git("git+host:a/b.git".to_owned()));
        assert_eq!(Origin::url("https://u:hunter2@h.example/x.tgz?k=hunter2"), Origin::Url("https://h.example/x.tgz".to_owned()));
        assert_eq!(Origin::url("../x.whl"), Origin::Local);
    }

    #[test]
    fn what_is_no_name_is_a_fault() {
        for name in ["", "a\nb", &"x".repeat(513)] {
            assert!(Package::new(Ecosystem::Npm, name, None, Origin::Registry).fault().is_some());
        }
        assert!(Package::new(Ecosystem::Npm, "a", Some(String::new()), Origin::Registry).fault().is_some());
        let mut package = Package::new(Ecosystem::Npm, "a", None, Origin::Registry);
        for (bytes, is_fault) in [(512, false), (513, true)] {
            package.requirement = Some("1".repeat(bytes));
            assert_eq!(package.fault().is_some(), is_fault, "{bytes}");
        }
    }
}

//! The files of registries that lock files name by digests which tools compare: what may be cached.

use nofx_sandbox::Files;

use super::content::text;
use super::hash::Hash;
use super::locks::{LOCKS, Read};
use super::package::{Ecosystem, Origin, Package};
use crate::dependencies::{Digest, Locked, Tool};

const FILES: [&str; 3] = ["Cargo.lock", "npm-shrinkwrap.json", "package-lock.json"];
/// Largest lock file that is read for it, in bytes: it is read for each process.
const BYTES: usize = 8 << 20;

/// What a lock file does not say, or what is none, the tool that reads it finds out.
pub(crate) fn locked(folder: &Files) -> Vec<Locked> {
    let readers = LOCKS.iter().filter(|(name, _)| FILES.contains(name));
    readers.flat_map(|(name, read)| packages(folder, name, *read)).flat_map(files).collect()
}

fn packages(folder: &Files, name: &str, read: Read) -> Vec<Package> {
    let text = text(folder, name).ok().flatten().filter(|text| text.len() <= BYTES);
    text.and_then(|text| read(&text).ok()).unwrap_or_default()
}

fn files(package: Package) -> Vec<Locked> {
    let (Some(version), Origin::Registry) = (package.version, package.origin) else { return vec![] };
    let file = |hash: Hash| {
        let (tool, digest) = match (package.ecosystem, hash.algorithm) {
            (Ecosystem::Cargo, "SHA-256") => (Tool::Cargo, Digest::sha256(&hash.hex)?),
            (Ecosystem::Npm, "SHA-512") => (Tool::Npm, Digest::sha512(&hash.hex)?),
            _ => return None,
        };
        Some(Locked { tool, name: package.name.clone(), version: version.clone(), digest })
    };
    package.hashes.into_iter().filter_map(file).collect()
}

#[cfg(test)]
mod tests {
    use nofx_sandbox::Files;

    use super::locked;
    use crate::dependencies::Tool;

    #[test]
    fn only_what_a_registry_has_and_a_digest_names_is_cached() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = Files::own(dir.path()).expect("open");
        assert_eq!(locked(&folder), []);
        let sum = "a".repeat(64);
        let cargo = format!(
            "version = 4\n[[package]]\nname = \"own\"\nversion = \"1.0.0\"\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://r.example\"\n\
             checksum = \"{sum}\"\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"git+https://g.example/b#1\"\n"
        );
        let sha512 = format!("sha512-{}==", "A".repeat(86));
        let sha1 = format!("sha1-{}=", "A".repeat(27));
        let npm = serde_json::json!({"lockfileVersion": 3, "packages": {
            "": {"name": "own"},
            "node_modules/a": {"version": "1.0.0", "integrity": sha512},
            "node_modules/old": {"version": "1.0.0", "integrity": sha1},
            "node_modules/url": {"version": "1.0.0", "resolved": "https://h.example/x.tgz", "integrity": sha512}}});
        for (name, text) in [("Cargo.lock", cargo), ("package-lock.json", npm.to_string())] {
            std::fs::write(dir.path().join(name), text).expect("written");
        }
        let found = locked(&folder);
        assert_eq!(found.iter().map(|one| (one.tool, one.name.as_str())).collect::<Vec<_>>(), [(Tool::Cargo, "a"), (Tool::Npm, "a")]);
        std::fs::write(dir.path().join("Cargo.lock"), "nonsense").expect("written");
        std::fs::remove_file(dir.path().join("package-lock.json")).expect("removed");
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("package-lock.json")).expect("a link");
        assert_eq!(locked(&folder), [], "what is wrong with it, its tool says");
    }
}

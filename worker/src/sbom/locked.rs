//! The files of registries that lock files name by digests which tools compare: what may be cached.

use nofx_sandbox::Files;

use super::content::text;
use super::hash::Hash;
use super::locks::{LOCKS, Read, requirements};
use super::package::{Ecosystem, Origin, Package};
use crate::dependencies::{Digest, Locked, Tool};

const FILES: [&str; 3] = ["Cargo.lock", "npm-shrinkwrap.json", "package-lock.json"];
/// Most requirements files that are read, in the order of their names.
const REQUIREMENTS_FILES: usize = 8;
/// Largest lock file that is read for it, in bytes: it is read for each process.
const BYTES: usize = 8 << 20;

/// What a lock file does not say, or what is none, the tool that reads it finds out.
pub(crate) fn locked(folder: &Files) -> Vec<Locked> {
    let readers = LOCKS.iter().filter(|(name, _)| FILES.contains(name));
    let of_pip = requirements_files(folder)
        .into_iter()
        .flat_map(|name| packages(folder, &name, |text| Ok(requirements::read(text)?.packages.into_vec())));
    readers.flat_map(|(name, read)| packages(folder, name, *read)).chain(of_pip).flat_map(files).collect()
}

/// What pip reads its requirements from by custom: `requirements-dev.txt`, `requirements/test.txt`.
fn requirements_files(folder: &Files) -> Vec<String> {
    let list = |path: &str| folder.list(path).ok().flatten().unwrap_or_default().into_iter().map(|(name, _)| name);
    let here = list("").filter(|name| name.starts_with("requirements"));
    let below = list("requirements").map(|name| format!("requirements/{name}"));
    let is_text = |name: &String| std::path::Path::new(name).extension().is_some_and(|end| end == "txt");
    let mut all: Vec<String> = here.chain(below).filter(is_text).collect();
    all.sort();
    all.truncate(REQUIREMENTS_FILES);
    all
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
            (Ecosystem::Pypi, "SHA-256") => (Tool::Pip, Digest::sha256(&hash.hex)?),
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
        let requirements =
            format!("Own_Lib==1.0 --hash=sha256:{sum} \\\n  --hash=sha256:{}\nany>=1 --hash=sha256:{sum}\nother==1\n", "b".repeat(64));
        std::fs::create_dir(dir.path().join("requirements")).expect("a folder");
        for (name, text) in
            [("requirements-dev.txt", requirements.as_str()), ("requirements/x.txt", "x==2 --hash=sha512:00"), ("more.txt", &requirements)]
        {
            std::fs::write(dir.path().join(name), text).expect("written");
        }
        let pip: Vec<_> = locked(&folder).into_iter().filter(|one| one.tool == Tool::Pip).map(|one| (one.name, one.version)).collect();
        assert_eq!(pip, [("own-lib".to_owned(), "1.0".to_owned()), ("own-lib".to_owned(), "1.0".to_owned())], "each file of one version");
        std::fs::remove_file(dir.path().join("requirements-dev.txt")).expect("removed");
        std::fs::write(dir.path().join("Cargo.lock"), "nonsense").expect("written");
        std::fs::remove_file(dir.path().join("package-lock.json")).expect("removed");
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("package-lock.json")).expect("a link");
        assert_eq!(locked(&folder), [], "what is wrong with it, its tool says");
    }
}

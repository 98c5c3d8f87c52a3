//! Where a tool has its downloads, in the home of a process. The home is hostile: it is only seen through `Files`.

use nofx_sandbox::{Files, Kind};

use super::{Locked, Tool};

/// A folder for each registry, named by cargo after the registry's address.
const CRATES: &str = ".cargo/registry/cache";
/// Npm's cache, whose names are digests: npm compares them itself.
const PACKAGES: &str = ".npm/_cacache/content-v2/sha512";
/// Most registries that are known of one tenant.
pub(super) const REGISTRIES: usize = 8;

/// Where the file is, if its name in the lock file says so. `registry`: cargo's name for where it came from; of npm's files it is `npm`.
pub(super) fn path(locked: &Locked, registry: &str) -> Option<String> {
    match locked.tool {
        Tool::Cargo => {
            let is_plain = [&locked.name, &locked.version].into_iter().all(|text| is_plain(text)) && is_plain(registry);
            is_plain.then(|| format!("{CRATES}/{registry}/{}-{}.crate", locked.name, locked.version))
        }
        Tool::Npm => {
            let hex = locked.digest.hex();
            Some(format!("{PACKAGES}/{}/{}/{}", hex.get(..2)?, hex.get(2..4)?, hex.get(4..)?))
        }
        Tool::Pip => None,
    }
}

/// The registries from which the tool has downloaded something.
pub(super) fn registries(tool: Tool, home: &Files) -> Vec<String> {
    match tool {
        Tool::Cargo => {
            let names = home.list(CRATES).ok().flatten().unwrap_or_default();
            let folders = names.into_iter().filter(|(name, kind)| *kind == Kind::Folder && is_plain(name));
            folders.map(|(name, _)| name).take(REGISTRIES).collect()
        }
        Tool::Npm if home.kind(PACKAGES) == Some(Kind::Folder) => vec!["npm".to_owned()],
        Tool::Npm | Tool::Pip => vec![],
    }
}

/// Whether the packages are installed in the folder, so that the tool needs none of them.
pub(super) fn is_installed(tool: Tool, folder: &Files) -> bool {
    // Npm writes this file last.
    tool == Tool::Npm && folder.kind("node_modules/.package-lock.json") == Some(Kind::File)
}

/// A name of one file or folder, of the characters that crates, versions and cargo's folders have.
pub(super) fn is_plain(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    (1..=200).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(is_allowed)
}

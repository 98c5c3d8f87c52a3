//! Files that a model wrote: parsed, checked, and written below the workspace only.

use std::path::{Path, PathBuf};

use nofx_shared::engine::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::models::unfenced;
use crate::workspace::file_below;

/// Limits of one response.
const MAX_FILES: usize = 100;
const FILE_BYTES: usize = 1 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub path: String,
    pub content: String,
}

#[derive(Deserialize)]
struct Response {
    files: Vec<File>,
}

impl File {
    /// The one file that was requested. A model may put a fence around it all the same.
    pub(super) fn plain(path: &str, response: &str) -> Self {
        Self { path: path.to_owned(), content: format!("{}\n", unfenced(response)) }
    }
}

pub(super) fn schema() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["files", "summary"],
        "properties": {
            "summary": {"type": "string"},
            "files": {"type": "array", "items": {
                "type": "object", "additionalProperties": false, "required": ["path", "content"],
                "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
            }},
        },
    })
}

pub(super) fn read(response: &str) -> Result<Vec<File>, Failure> {
    let response: Response = serde_json::from_str(unfenced(response))
        .map_err(|error| Failure::permanent(format!("the model's response does not have the requested format: {error}")))?;
    if response.files.is_empty() {
        return Err(Failure::permanent("the model wrote no files"));
    }
    Ok(response.files)
}

/// The path of each file; an error when one of them may not be written.
pub(super) fn check(dir: &Path, files: &[File], only: &[String]) -> Result<Vec<PathBuf>, Failure> {
    if files.len() > MAX_FILES {
        return Err(Failure::permanent(format!("the model wrote {} files, the limit is {MAX_FILES}", files.len())));
    }
    let one = |file: &File| {
        let name: String = file.path.chars().take(200).collect();
        let refuse = |why: &str| Failure::permanent(format!("`{name}` was not written: {why}"));
        if file.content.len() > FILE_BYTES {
            return Err(refuse("the file is larger than 1 MiB"));
        }
        if !only.is_empty() && !only.iter().any(|start| file.path.starts_with(start.as_str())) {
            return Err(refuse("the path is not in `only`"));
        }
        file_below(dir, &file.path)
    };
    files.iter().map(one).collect()
}

pub(super) fn write(paths: &[PathBuf], files: &[File]) -> Result<(), Failure> {
    for (path, file) in paths.iter().zip(files) {
        let failed = |error: std::io::Error| Failure::transient(format!("could not write `{}`: {error}", file.path));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        std::fs::write(path, &file.content).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{File, check, read};

    fn file(path: &str) -> File {
        File { path: path.to_owned(), content: "x".to_owned() }
    }

    #[test]
    fn nothing_is_written_outside_of_the_workspace_or_into_git() {
        let root = tempfile::tempdir().expect("a folder");
        let dir = root.path().join("workspace");
        std::fs::create_dir_all(dir.join("src")).expect("a folder");
        std::os::unix::fs::symlink("/tmp", dir.join("out")).expect("a link");
        std::os::unix::fs::symlink("/etc/passwd", dir.join("src/link")).expect("a link");
        // A write through this link would create a file elsewhere.
        std::os::unix::fs::symlink(root.path().join("elsewhere"), dir.join("src/dangling")).expect("a link");
        let outside = ["../a", "/etc/passwd", "src/../../a", "new/../../a", "out/a", "out/deep/a", "src/link", "src/dangling"];
        let bad = [&outside[..], &[".git/config", "sub/.GIT/hooks/x", "", "a\0b"]].concat();
        for bad in bad {
            assert!(check(&dir, &[file("fine"), file(bad)], &[]).is_err(), "{bad}");
        }
        assert!(check(&dir, &[file("a"), file("src/b.rs"), file("new/deep/c"), file("./d")], &[]).is_ok());
        assert!(check(&dir, &[file("src/b.rs")], &["docs/".to_owned()]).is_err());
    }

    #[test]
    fn fences_are_removed_and_other_responses_are_errors() {
        assert_eq!(File::plain("a", "```md\n# Hi\n```").content, "# Hi\n");
        assert_eq!(File::plain("a", "# Hi\n```\ncode\n```").content, "# Hi\n```\ncode\n```\n");
        let fenced = "```json\n{\"files\": [{\"path\": \"a\", \"content\": \"b\"}], \"summary\": \"s\"}\n```";
        assert_eq!(read(fenced).expect("files").len(), 1);
        assert!(read("Sure! Here you go").is_err() && read("{\"files\": []}").is_err());
    }
}

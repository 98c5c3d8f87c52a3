//! Files that a model wrote: parsed, checked, and written below the workspace only.

use nofx_shared::engine::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::models::unfenced;
use crate::workspace::{Folder, file_name};

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

/// An error when one of the files may not be written.
pub(super) fn check(files: &[File], only: &[String]) -> Result<(), Failure> {
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
        file_name(&file.path).map(drop)
    };
    files.iter().try_for_each(one)
}

pub(super) async fn write(folder: &Folder, files: &[File]) -> Result<(), Failure> {
    for file in files {
        folder.write(&file.path, file.content.clone().into_bytes()).await?;
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
    fn no_name_leads_out_of_the_workspace_or_into_git() {
        for bad in ["../a", "/etc/passwd", "src/../../a", "new/../../a", ".git/config", "sub/.GIT/hooks/x", "", "a\0b"] {
            assert!(check(&[file("fine"), file(bad)], &[]).is_err(), "{bad}");
        }
        assert!(check(&[file("a"), file("src/b.rs"), file("new/deep/c"), file("./d")], &[]).is_ok());
        assert!(check(&[file("src/b.rs")], &["docs/".to_owned()]).is_err());
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

//! Whether a repository has anything that a gate judges: by the names of its files, now and at its base, never by the plan's word.

use nofx_shared::engine::Failure;
use nofx_shared::gates::{Asked, BaseFrom, Verdict};

use super::aside::Aside;
use super::context::GateContext;
use super::judgement::Judgement;
use super::known::KnownCommand;

/// Extensions of source files.
const SOURCES: &[&str] = &[
    "c", "cc", "cjs", "clj", "cpp", "cs", "cts", "cxx", "dart", "ex", "exs", "fs", "go", "groovy", "h", "hpp", "hs", "java", "js", "jsx",
    "kt", "kts", "lua", "m", "mjs", "mm", "mts", "php", "pl", "py", "rb", "rs", "scala", "swift", "ts", "tsx", "vue", "zig",
];
/// How many files of a kind the evidence names.
const NAMED: usize = 20;

/// Whether a file is source code, by its name.
pub(super) fn is_source(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    !name.ends_with(".d.ts") && name.rsplit_once('.').is_some_and(|(_, ending)| SOURCES.contains(&ending.to_ascii_lowercase().as_str()))
}

/// Whether a file's name is a project file's of one of the commands, or it is source code.
fn is_of_kind(path: &str, known: &[KnownCommand]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    is_source(path) || known.iter().any(|one| one.is_named(name))
}

/// The judgement of a repository for which no command is known: not applicable when it never had anything of a kind that the gate judges,
/// as far as the plan's repository says; otherwise inconclusive.
pub(super) async fn without_a_command(context: &GateContext<'_>, asked: Asked, known: &[KnownCommand]) -> Result<Judgement, Failure> {
    let files = known.iter().map(|one| one.file).collect::<Vec<_>>().join(", ");
    let missing = format!("no supported project file found (none of {files}); set `command`");
    let git = context.git(&context.workspace);
    let Some((url, caller)) = context.remote().filter(|_| asked.cwd.is_none()) else { return Ok(inconclusive(missing, asked)) };
    if !git.is_repository().await? {
        return Ok(inconclusive(missing, asked));
    }
    let aside = Aside::new(context, &context.workspace, caller).await?;
    let head = git.head().await?;
    let Some(base) = aside.remote_base(url, None, head.as_deref()).await? else {
        return Ok(inconclusive(format!("{missing}; the default branch of {url} could not be read"), asked));
    };
    let mut looked = aside.files(&git.tree().await?).await?;
    for commit in head.iter().chain([&base.commit]) {
        looked.extend(aside.files(commit).await?);
    }
    looked.sort_unstable();
    looked.dedup();
    let of_kind: Vec<String> = looked.iter().filter(|path| is_of_kind(path, known)).take(NAMED).cloned().collect();
    let asked = Asked { base_from: Some(BaseFrom::Remote), of_kind: Some(of_kind.clone()), ..asked };
    match of_kind.first() {
        Some(one) => Ok(inconclusive(format!("{missing}; {one} is of a kind that the gate judges"), asked)),
        None => {
            let summary = format!("none of {} files is of a kind that the gate judges", looked.len());
            Ok(Judgement { asked, ..Judgement::of(Verdict::NotApplicable, summary) })
        }
    }
}

fn inconclusive(why: String, asked: Asked) -> Judgement {
    Judgement { asked, ..Judgement::inconclusive(why) }
}

#[cfg(test)]
mod tests {
    use super::super::readers::Format;
    use super::{KnownCommand, is_of_kind};

    #[test]
    fn a_file_is_of_a_kind_by_its_name_in_whatever_folder() {
        let known = [KnownCommand::new("pyproject.toml", "x", Format::Text), KnownCommand::new(".semgrep*", "x", Format::Text)];
        for path in ["pyproject.toml", "a/b/pyproject.toml", "a.PY", "web/main.ts", ".semgrep.yml", "x/.semgrep-rules.yml"] {
            assert!(is_of_kind(path, &known), "{path}");
        }
        for path in ["README.md", "pyproject.toml/x", "types.d.ts", "py", "a.py.txt", "semgrep.yml"] {
            assert!(!is_of_kind(path, &known), "{path}");
        }
    }
}

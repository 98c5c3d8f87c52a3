//! What a step may have put in the place of the files that git itself reads: git waits for a fifo, reads an endless device, and takes a file
//! of any size into memory. They are looked for before git starts, so that a step is refused at once and with a reason. What git's settings
//! name elsewhere is not looked for: there the step's limits and timeout end git.

use nofx_shared::drivers::Network;
use nofx_shared::engine::Failure;

use super::caller::{Caller, Program};
use super::folder::Folder;
use super::git::INDEX_BYTES;
use crate::drivers::tail;

/// Largest file that git takes into memory as a whole; its index and its objects are read in other ways.
const FILE_BYTES: u64 = 64 << 20;
/// Of the one line that is printed: a path has 4,095 bytes at most, unless it was made piece by piece.
const LINE_BYTES: usize = 16 << 10;
/// How much of a path, and of what the search complains about, is in a failure.
const WHY_BYTES: usize = 300;

/// The files of a work tree that git reads wherever it finds them. It follows no link there.
const READ_ANYWHERE: [&str; 4] = [".gitattributes", ".gitignore", ".gitmodules", ".mailmap"];
/// Files of any size, below a folder of git's: objects are compressed and packed, the rest is not git's own.
const ANY_SIZE: [&str; 6] = ["objects/pack/*", "objects/??/*", "objects/info/commit-graph*", "lfs/*", "modules/*", "annex/*"];

/// An error when something in the workspace of the folder is not what git expects.
pub(super) async fn refuse(caller: &Caller, folder: &Folder) -> Result<(), Failure> {
    if !caller.is_folder_hostile {
        return Ok(());
    }
    let program = Program { argv: search(), folder, dir: folder.root(), env: [].into(), network: Network::None, max_bytes: LINE_BYTES };
    let result = caller.run(program).await?;
    if let Some(why) = found(&result.stdout) {
        return Err(Failure::permanent(why));
    }
    match result.exit_code {
        // With 1 it could not read a folder: neither can git, which has the same rights.
        Some(0 | 1) => Ok(()),
        Some(_) => Err(Failure::transient(format!("the workspace could not be searched: {}", tail(result.output.trim(), WHY_BYTES)))),
        None => Err(Failure::transient(format!("the search of the workspace {}", result.death()))),
    }
}

/// Prints the kind, the size and the path of the first thing that is wrong.
fn search() -> Vec<String> {
    let mut argv = vec!["find".to_owned(), ".".to_owned()];
    let mut add = |terms: &str| argv.extend(terms.split(' ').map(str::to_owned));
    let too_large = |bytes: u64| format!("-size +{}k", bytes >> 10);
    // Hooks may be links, and are not run.
    add("-path */.git/hooks -prune -o");
    add("( ( -name .git -o -path */.git/* ) ( -type l -o -type p -o -type b -o -type c");
    add(&format!("-o -type f -name index {}", too_large(INDEX_BYTES)));
    let any_size = ANY_SIZE.map(|path| format!("! -path */.git/{path}")).join(" ");
    add(&format!("-o -type f ! -name index {any_size} {} )", too_large(FILE_BYTES)));
    let names = READ_ANYWHERE.map(|name| format!("-name {name}")).join(" -o ");
    add(&format!("-o ( {names} ) ( -type p -o -type b -o -type c -o -type f {} ) )", too_large(FILE_BYTES)));
    add("-printf %y\\040%s\\040%P\\n -quit");
    argv
}

/// What is wrong, in words, from the line of the search.
fn found(line: &str) -> Option<String> {
    let mut parts = line.strip_suffix('\n').unwrap_or(line).splitn(3, ' ');
    let (kind, bytes, path) = (parts.next()?, parts.next()?, parts.next()?);
    let what = match kind {
        "p" => "a fifo",
        "l" => "a link",
        "b" | "c" => "a device",
        _ => &format!("a file of {bytes} bytes"),
    };
    let path = path.escape_debug().to_string();
    Some(format!("`{}` is {what}: git would wait for it or read more than there is room for; remove it", tail(&path, WHY_BYTES)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use tokio_util::sync::CancellationToken;

    use super::{Caller, Folder, found, refuse};
    use crate::drivers::Processes;
    use crate::workspace::Git;

    const REPOSITORY: &str = "git init -q . && git config user.name x && git config user.email x@example.com
        echo one > f && git add f && git commit -qm one && mkdir -p sub/dir .github && ln -s ../../f .git/hooks/link
        ln -s nowhere .gitignore && ln -s f .github/link && mkfifo plain && truncate -s 100M large .git/objects/pack/large.pack";

    #[expect(clippy::disallowed_methods, reason = "makes what a step would")]
    fn make(dir: &Path, script: &str) {
        let made = Command::new("bash").args(["-ec", script]).current_dir(dir).status().expect("bash");
        assert!(made.success(), "{script}");
    }

    async fn tried(script: &str) -> Result<(), String> {
        let dir = tempfile::tempdir().expect("a folder");
        make(dir.path(), &format!("{REPOSITORY}\n{script}"));
        let processes = Processes::own();
        let folder = Folder::new(&processes, dir.path().to_owned()).expect("it is there");
        let caller = Caller { is_folder_hostile: true, ..Caller::person(&processes, &CancellationToken::new()) };
        let git = Git::new(caller.clone(), &folder);
        let refused = refuse(&caller, &folder).await.map_err(|failure| failure.message);
        // No git has started: it would wait.
        if let Err(why) = &refused {
            let again = [git.tree().await.err(), git.head().await.err()].map(|failure| failure.map(|failure| failure.message));
            assert!(again.iter().all(|one| one.as_ref() == Some(why)), "{script}: {again:?}");
        }
        refused
    }

    #[tokio::test]
    async fn what_is_not_as_git_left_it_is_refused_before_git_starts() {
        let fifo = |path: &str| (format!("rm -rf {path}; mkfifo {path}"), format!("`{path}` is a fifo"));
        let link = |path: &str| (format!("rm -rf {path}; ln -s /dev/zero {path}"), format!("`{path}` is a link"));
        let large =
            |path: &str, size: &str, bytes: u64| (format!("truncate -s {size} {path}"), format!("`{path}` is a file of {bytes} bytes"));
        let mut all = vec![];
        for path in [".git", ".git/HEAD", ".git/config", ".git/index", ".git/objects"] {
            all.extend([fifo(path), link(path)]);
        }
        for path in [
            ".git/packed-refs",
            ".git/commondir",
            ".git/config.worktree",
            ".git/info/exclude",
            ".git/info/attributes",
            ".git/refs/heads/x",
            ".git/objects/info/alternates",
            ".gitattributes",
            ".gitignore",
            "sub/dir/.gitattributes",
            "sub/dir/.git",
        ] {
            all.push(fifo(path));
        }
        all.push(("mkdir -p sub/.git; mkfifo sub/.git/HEAD".to_owned(), "`sub/.git/HEAD` is a fifo".to_owned()));
        all.push(large(".git/index", "1T", 1 << 40));
        all.push(large(".git/config", "10G", 10 << 30));
        all.push(large(".git/objects/info/alternates", "65M", 65 << 20));
        all.push(large("sub/dir/.gitattributes", "65M", 65 << 20));
        for (script, why) in all {
            let refused = tried(&script).await.expect_err(&script);
            assert!(refused.starts_with(&why), "{script}: {refused}");
        }
    }

    #[tokio::test]
    async fn a_repository_of_every_day_is_not_refused() {
        for script in ["true", "git gc -q", "git pack-refs --all", "rm -rf .git"] {
            assert_eq!(tried(script).await, Ok(()), "{script}");
        }
    }

    #[test]
    fn a_path_of_any_bytes_is_one_line_of_text() {
        assert_eq!(found(""), None);
        let why = found(&format!("p 0 .git/a\u{1b}\n{}\n", "n".repeat(5000))).expect("it was found");
        assert!(why.len() < 500 && !why.contains(char::is_control), "{why}");
        assert!(found("f 7 .git/config\n").is_some_and(|why| why.starts_with("`.git/config` is a file of 7 bytes")));
    }
}

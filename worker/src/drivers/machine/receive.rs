//! What a program changed on its machine comes back. All that a machine sends is hostile: it is limited, and applied by programs that are
//! confined as the workspace's user, so that it can do what a step can do there, and no more. Nothing is applied before all has come.

use nofx_shared::engine::Failure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::here::Here;
use super::received::{Archive, Check, FILES, Names, too_much};
use super::send::wait_to_repeat;
use super::{Bytes, Fault, Machine};
use crate::drivers::{Scratch, WRITTEN_BYTES};

/// Most bytes of the names of those files that it removed.
const NAMES_BYTES: u64 = 64 << 20;
const WHAT: &str = "could not fetch what the program changed";

/// What a program left, as its machine lists it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    /// Why it was not started.
    pub refused: Option<String>,
    /// What is in the place of `NOFX_OUTPUT`: nothing, a file, or something else.
    pub output: Output,
    pub has_changed: bool,
    pub has_gone: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Output {
    #[default]
    None,
    File,
    Other,
}

impl Left {
    pub(super) fn read(printed: &str) -> Result<Self, Failure> {
        let mut left = Self::default();
        let mut lines = printed.lines();
        while let Some(line) = lines.next() {
            match line.split_once(' ').unwrap_or((line, "")) {
                ("refused", why) => left.refused = Some([why].into_iter().chain(lines.by_ref()).collect::<Vec<_>>().join("\n")),
                ("output", "none") => left.output = Output::None,
                ("output", "file") => left.output = Output::File,
                ("output", "other") => left.output = Output::Other,
                ("changed", "") => left.has_changed = true,
                ("gone", "") => left.has_gone = true,
                _ => return Err(Failure::transient("the machine of the step gave an answer that cannot be read")),
            }
        }
        Ok(left)
    }
}

/// Applies what changed to the folder here.
pub(super) async fn receive(here: &Here<'_>, machine: &dyn Machine, left: &Left) -> Result<(), Failure> {
    let scratch = here.processes.scratch(Some(here.root)).await?;
    if left.has_gone {
        let too_long = format!("removed files whose names are more than {NAMES_BYTES} bytes");
        spool::<Names>(machine, &scratch, "gone", NAMES_BYTES, &too_long).await?;
    }
    if left.has_changed {
        let too_large = format!("changed more than {} MiB (`resources.disk_mb`)", here.limit_mb);
        spool::<Archive>(machine, &scratch, "changed.tar", here.limit_bytes(), &too_large).await?;
    }
    let path = |name: &str| scratch.path().join(name).to_string_lossy().into_owned();
    if left.has_gone {
        here.start(&["xargs", "--null", "--arg-file", &path("gone"), "rm", "--recursive", "--force", "--"]).await?.end().await?;
    }
    if left.has_changed {
        unpack(here, &path("changed.tar")).await?;
    }
    Ok(())
}

/// The file `NOFX_OUTPUT`, or why it is none.
pub(super) async fn written(machine: &dyn Machine, output: &Output) -> Result<Option<Result<Vec<u8>, String>>, Failure> {
    Ok(match output {
        Output::None => None,
        Output::Other => Some(Err("is not a regular file".to_owned())),
        Output::File => {
            let bytes = fetch(machine, "/tmp/nofx/out/output.json", WRITTEN_BYTES).await?;
            Some(bytes.ok_or_else(|| format!("is larger than {WRITTEN_BYTES} bytes")))
        }
    })
}

/// A small file; none when it is larger than the limit.
async fn fetch(machine: &dyn Machine, path: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, Failure> {
    let mut calls = 0;
    loop {
        let read = match machine.download(path).await {
            Ok(bytes) => {
                let mut all = vec![];
                let read = bytes.take(max_bytes + 1).read_to_end(&mut all).await;
                read.map(|_| all).map_err(|error| Fault::Unavailable(error.to_string()))
            }
            Err(fault) => Err(fault),
        };
        match read {
            Ok(all) => return Ok((all.len() as u64 <= max_bytes).then_some(all)),
            Err(fault) => wait_to_repeat(fault, &mut calls, WHAT).await?,
        }
    }
}

/// Writes a file of the machine's to a scratch folder of the workspace's user, checked as it comes: no more of it is in memory than a piece.
async fn spool<C: Check + Default>(
    machine: &dyn Machine,
    scratch: &Scratch,
    name: &'static str,
    max_bytes: u64,
    too_large: &str,
) -> Result<(), Failure> {
    let mut calls = 0;
    loop {
        let files = scratch.files()?;
        let file = tokio::task::spawn_blocking(move || files.create(name)).await;
        let file = file.map_err(|error| error.to_string()).flatten().map_err(|why| not_written(&why))?;
        let mut check = C::default();
        let copied = match machine.download(&format!("/tmp/nofx/{name}")).await {
            Ok(bytes) => copy(bytes, tokio::fs::File::from_std(file), max_bytes, &mut check).await?,
            Err(fault) => Err(fault),
        };
        match copied {
            Ok(bytes) if bytes > max_bytes => return Err(too_much(too_large)),
            Ok(_) => return check.end(),
            Err(fault) => wait_to_repeat(fault, &mut calls, WHAT).await?,
        }
    }
}

/// At most one piece more than the limit. The inner error is of the machine.
async fn copy(mut from: Bytes, mut to: tokio::fs::File, max_bytes: u64, check: &mut impl Check) -> Result<Result<u64, Fault>, Failure> {
    let (mut copied, mut chunk) = (0, vec![0; 64 << 10]);
    while copied <= max_bytes {
        let read = match from.read(&mut chunk).await {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => return Ok(Err(Fault::Unavailable(error.to_string()))),
        };
        check.push(&chunk[..read])?;
        to.write_all(&chunk[..read]).await.map_err(|error| not_written(&error.to_string()))?;
        copied += read as u64;
    }
    to.flush().await.map_err(|error| not_written(&error.to_string()))?;
    Ok(Ok(copied))
}

/// Tar itself says how many files it makes: how it reads an archive, nothing else knows.
async fn unpack(here: &Here<'_>, tar: &str) -> Result<(), Failure> {
    let options = ["--preserve-permissions", "--no-same-owner", "--delay-directory-restore", "--warning=no-timestamp"];
    let list = ["--verbose", "--quoting-style=escape"];
    let argv = [&["tar", "--extract", "--file", tar], options.as_slice(), list.as_slice()].concat();
    let mut unpacking = here.start(&argv).await?;
    let (mut names, mut chunk, mut count) = (unpacking.stdout()?, vec![0; 64 << 10], 0);
    while let Ok(read @ 1..) = names.read(&mut chunk).await {
        count += chunk[..read].iter().filter(|byte| **byte == b'\n').count();
        if count > FILES {
            return Err(too_much(&format!("changed more than {FILES} files")));
        }
    }
    unpacking.end().await
}

fn not_written(why: &str) -> Failure {
    Failure::transient(format!("{WHAT}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::{Left, Output};

    #[test]
    fn a_machine_says_what_is_left_in_one_way_only() {
        let left = |text: &str| Left::read(text).ok();
        assert_eq!(left("output none\n"), Some(Left::default()));
        let all = Left { output: Output::File, has_changed: true, has_gone: true, ..Left::default() };
        assert_eq!(left("output file\ngone\nchanged\n"), Some(all));
        let refused = Left { refused: Some("no\noutput file".to_owned()), ..Left::default() };
        assert_eq!(left("refused no\noutput file\n"), Some(refused));
        for wrong in ["output", "output socket", "changed 3", "hello", "output file\n\n", "\u{fffd}"] {
            assert_eq!(left(wrong), None, "{wrong:?}");
        }
    }
}

//! `nofx bench workspace`: what a workspace of 10,000 files costs a step: the list that proves that nothing changed, a pack of ten changed
//! files, a copy of all of them.

use std::fs::File;
use std::io::Seek;
use std::path::Path;
use std::time::Instant;

use nofx_sandbox::{Part, PartKind, Sandbox, TreeOp, read_header, write_header};
use uuid::Uuid;

use super::report::Report;
use crate::exit::{Error, Exit, Outcome};

const FOLDERS: usize = 100;
const FILES: usize = 100;
/// Some source files.
const BYTES: u64 = 4000;
const TIMES: usize = 30;

pub(super) fn run(as_json: bool, sandbox: Option<Sandbox>) -> Outcome {
    let sandbox = sandbox.ok_or_else(|| Error::new("this bench needs a worker's supervisor"))?;
    let dir = sandbox.create_workspace(Uuid::now_v7()).map_err(Error::new)?;
    fill(&sandbox, &dir)?;
    let changed: Vec<String> = (0..10).map(|n| format!("d{n}/f{n}")).collect();
    let [mut list, mut pack, mut copy] = [vec![], vec![], vec![]];
    for _ in 0..TIMES {
        let begin = Instant::now();
        let left_out = vec!["node_modules".to_owned(), "target".to_owned()];
        let mut listed = tree(&sandbox, &dir, TreeOp::List { left_out }, &nothing()?)?;
        listed.rewind().map_err(Error::new)?;
        let listed: Vec<nofx_sandbox::Listed> = read_header(std::io::BufReader::new(listed)).map_err(Error::new)?;
        list.push(begin.elapsed().as_secs_f64() * 1000.0);
        if listed.len() != FOLDERS * FILES + FOLDERS {
            return Err(Error::new(format!("{} paths were listed", listed.len())));
        }
        let begin = Instant::now();
        tree(&sandbox, &dir, TreeOp::Pack, &header(&changed)?)?;
        pack.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    for _ in 0..3 {
        let to = sandbox.create_workspace(Uuid::now_v7()).map_err(Error::new)?;
        let begin = Instant::now();
        let mut all = tree(&sandbox, &dir, TreeOp::PackFolders, &header(&[""])?)?;
        all.rewind().map_err(Error::new)?;
        tree(&sandbox, &to, TreeOp::Unpack, &all)?;
        copy.push(begin.elapsed().as_secs_f64() * 1000.0);
        sandbox.remove(&to).map_err(Error::new)?;
    }
    sandbox.remove(&dir).map_err(Error::new)?;
    let mut report = Report::default();
    report.put_percentiles("unchanged_ms", &mut list);
    report.put_percentiles("pack_ms", &mut pack);
    report.put_percentiles("copy_ms", &mut copy);
    report.print(as_json);
    Ok(Exit::Succeeded)
}

fn fill(sandbox: &Sandbox, dir: &Path) -> Result<(), Error> {
    let mut parts = vec![];
    for folder in 0..FOLDERS {
        parts.push(Part { path: format!("d{folder}"), mode: 0o755, kind: PartKind::Folder });
        let file = |file| Part { path: format!("d{folder}/f{file}"), mode: 0o644, kind: PartKind::File { size: BYTES, mtime_ns: 0 } };
        parts.extend((0..FILES).map(file));
    }
    let mut pack = header(&parts)?;
    pack.seek(std::io::SeekFrom::End(0)).map_err(Error::new)?;
    let files = (FOLDERS * FILES) as u64;
    std::io::copy(&mut std::io::Read::take(std::io::repeat(b'x'), files * BYTES), &mut pack).map_err(Error::new)?;
    pack.rewind().map_err(Error::new)?;
    tree(sandbox, dir, TreeOp::Unpack, &pack).map(drop)
}

fn tree(sandbox: &Sandbox, dir: &Path, op: TreeOp, input: &File) -> Result<File, Error> {
    let output = tempfile::tempfile().map_err(Error::new)?;
    sandbox.tree(dir, op, input, &output).map_err(Error::new)?;
    Ok(output)
}

fn header(value: &(impl serde::Serialize + ?Sized)) -> Result<File, Error> {
    let mut file = tempfile::tempfile().map_err(Error::new)?;
    write_header(&value, &mut file).map_err(Error::new)?;
    file.rewind().map_err(Error::new)?;
    Ok(file)
}

fn nothing() -> Result<File, Error> {
    File::open("/dev/null").map_err(Error::new)
}

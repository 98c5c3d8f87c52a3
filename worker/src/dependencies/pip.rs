//! Pip's downloads. It names what it caches by addresses, for which no requirements file vouches, so the cache's entries are found by the
//! digests of their bodies, and are given as wheels on a page of links. The home is hostile: it is only seen through `Files`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use nofx_sandbox::{Files, Kind};
use sha2::{Digest as _, Sha256};

use super::home::is_plain;
use super::store::{FILE_BYTES, Store};
use super::{Counters, Locked, Tool, wheel};

/// In the tenant's store.
pub(super) const REGISTRY: &str = "pip";
/// Where pip keeps answers: since 23.3, and before that.
const CACHES: [&str; 2] = [".cache/pip/http-v2", ".cache/pip/http"];
/// Folders below one another, each of a digit.
const DEPTH: usize = 5;
/// Most entries that are looked at.
const ENTRIES: usize = 2000;
/// How an entry of the older cache begins: `CacheControl`'s version 4, a map in `MessagePack`. How many fields the answer has differs.
const ENTRY: (&[u8], &[u8]) = (b"cc=4,\x82\xa8response", b"\xa4body");

const WHEELS: &str = ".cache/nofx/pip";
/// The older of the two places of a person's settings: what a step sets itself is in the other, and counts.
const SETTINGS: (&str, &str) = (".pip/pip.conf", "[global]\nfind-links = ~/.cache/nofx/pip/index.html\n");
/// Settings of the machine, which those of a home replace.
const OF_MACHINE: [&str; 2] = ["/etc/pip.conf", "/etc/xdg/pip/pip.conf"];

/// Puts the wheels that the store has into a home; what is missing.
pub(super) fn give(store: &Store, wanted: Vec<Locked>, home: &Files, left: &mut u64, counters: &Counters) -> Vec<Locked> {
    if wanted.is_empty() || OF_MACHINE.iter().any(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains("find-links"))) {
        return wanted;
    }
    let (mut page, mut names, mut given, mut missing) = (String::new(), BTreeSet::new(), BTreeSet::new(), vec![]);
    for locked in wanted {
        let name = store.open(REGISTRY, &locked.digest).filter(|_| *left > 0);
        let name = name.and_then(|mut file| wheel::name(&mut file, &locked.name, &locked.version)).filter(|name| is_plain(name));
        // Two builds for the same platform would have one name.
        let Some(name) = name.filter(|name| names.insert(name.clone())) else {
            missing.push(locked);
            continue;
        };
        let path = format!("{WHEELS}/{name}");
        match store.give(REGISTRY, &locked.digest, || home.create(&path)) {
            Ok(Some(bytes)) => {
                *left = left.saturating_sub(bytes);
                counters.add(Tool::Pip, "given", bytes);
                page += &format!("<a href=\"{name}#sha256={}\">{name}</a>\n", locked.digest.hex());
                given.insert((locked.name, locked.version));
            }
            Ok(None) => missing.push(locked),
            Err(why) => {
                tracing::warn!(file = path, why, "a dependency was not given");
                drop(home.remove(&path));
                missing.push(locked);
            }
        }
    }
    // A version has a digest for each platform: one of them is enough.
    let lacking: BTreeSet<_> = missing.iter().map(|one| (one.name.clone(), one.version.clone())).collect();
    lacking.difference(&given).for_each(|_| counters.add(Tool::Pip, "missing", 0));
    if !page.is_empty() {
        let page = format!("<!DOCTYPE html>\n<title>Wheels of earlier steps</title>\n{page}");
        for (path, text) in [(format!("{WHEELS}/index.html").as_str(), page.as_str()), SETTINGS] {
            let written = home.create(path).and_then(|mut file| file.write_all(text.as_bytes()).map_err(|error| error.to_string()));
            if let Err(why) = written {
                tracing::warn!(file = path, why, "pip does not find its dependencies");
            }
        }
    }
    missing
}

/// Takes over wheels that pip downloaded; whether there were any.
pub(super) fn take(store: &Store, missing: &[Locked], home: &Files, left: &mut u64, counters: &Counters) -> bool {
    let missing: BTreeMap<&str, &Locked> = missing.iter().filter(|one| one.tool == Tool::Pip).map(|one| (one.digest.hex(), one)).collect();
    let mut is_changed = false;
    if missing.is_empty() {
        return false;
    }
    for path in entries(home) {
        // What is no regular file, or a link to another's, is none.
        let Ok(Some(mut file)) = home.open(&path) else { continue };
        let size = file.metadata().map_or(u64::MAX, |meta| meta.len());
        if size > (*left).min(FILE_BYTES) {
            continue;
        }
        // Also when nobody wants it: reading it takes as long.
        *left -= size;
        let Some((begin, bytes)) = body(&mut file, &path, size) else { continue };
        let Some(locked) = digest(&mut file, begin, bytes).and_then(|hex| missing.get(hex.as_str())) else { continue };
        if file.seek(SeekFrom::Start(begin)).is_err() {
            continue;
        }
        match store.add(REGISTRY, &locked.digest, &mut file.take(bytes)) {
            Ok(Some(bytes)) => {
                is_changed = true;
                counters.add(Tool::Pip, "stored", bytes);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(file = path, %error, "a dependency was not stored"),
        }
    }
    is_changed
}

fn entries(home: &Files) -> Vec<String> {
    let mut found = vec![];
    CACHES.iter().for_each(|cache| add_entries(home, cache, 0, &mut found));
    found
}

fn add_entries(home: &Files, folder: &str, depth: usize, found: &mut Vec<String>) {
    for (name, kind) in home.list(folder).ok().flatten().unwrap_or_default() {
        if found.len() >= ENTRIES || !is_plain(&name) {
            continue;
        }
        let path = format!("{folder}/{name}");
        match kind {
            Kind::Folder if depth < DEPTH => add_entries(home, &path, depth + 1, found),
            // Beside a body of its own is what the answer said of it.
            Kind::File if depth == DEPTH && (path.ends_with(".body") || !folder.starts_with(CACHES[0])) => found.push(path),
            _ => {}
        }
    }
}

/// Where the body of an entry begins, and its length; none when it is no wheel.
fn body(file: &mut File, path: &str, size: u64) -> Option<(u64, u64)> {
    let mut head = vec![];
    file.take(64).read_to_end(&mut head).ok()?;
    let (begin, bytes) = if path.ends_with(".body") { (0, size) } else { inside(&head)? };
    let begins = usize::try_from(begin).ok()?;
    let is_wheel = head.get(begins..).is_some_and(|rest| rest.starts_with(wheel::BEGIN));
    (is_wheel && begin.checked_add(bytes)? <= size).then_some((begin, bytes))
}

/// The body in an entry of the older cache.
fn inside(head: &[u8]) -> Option<(u64, u64)> {
    let fields = head.strip_prefix(ENTRY.0)?.get(1..)?.strip_prefix(ENTRY.1)?;
    // A byte string, with its length in one, two or four bytes.
    let length = match fields.first()? {
        0xc4 => 1,
        0xc5 => 2,
        0xc6 => 4,
        _ => return None,
    };
    let bytes = fields.get(1..=length)?.iter().fold(0, |bytes, byte| bytes << 8 | u64::from(*byte));
    let begin = head.len() - fields.len() + 1 + length;
    Some((u64::try_from(begin).ok()?, bytes))
}

fn digest(file: &mut File, begin: u64, bytes: u64) -> Option<String> {
    file.seek(SeekFrom::Start(begin)).ok()?;
    let (mut digest, mut chunk, mut rest) = (Sha256::new(), vec![0; 64 << 10], file.take(bytes));
    loop {
        match rest.read(&mut chunk).ok()? {
            0 => return Some(hex::encode(digest.finalize())),
            read => digest.update(&chunk[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn the_body_of_an_entry_is_where_its_head_says() {
        let head = |rest: &[u8]| [b"cc=4,\x82\xa8response\x87\xa4body".as_slice(), rest].concat();
        assert_eq!(inside(&head(b"\xc4\x05PK\x03\x04x")), Some((23, 5)));
        assert_eq!(inside(&head(b"\xc5\x02\x85PK\x03\x04")), Some((24, 645)));
        assert_eq!(inside(&head(b"\xc6\x00\x01\x00\x00PK")), Some((26, 65_536)));
        for wrong in [b"".as_slice(), b"\xc6\x00", b"\xa4", b"\xc7\x00"] {
            assert_eq!(inside(&head(wrong)), None, "{wrong:?}");
        }
        assert_eq!((inside(b"cc=3,"), inside(b""), inside(b"cc=4,\x82\xa8response")), (None, None, None));
    }
}

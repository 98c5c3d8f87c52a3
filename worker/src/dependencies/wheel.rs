//! The name of a wheel (<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>), found in its own bytes, for which
//! a digest vouches: neither pip's cache nor a requirements file has it. Anybody may have written these bytes.

use std::io::{Read, Seek, SeekFrom};

/// A zip begins with it.
pub(super) const BEGIN: &[u8; 4] = b"PK\x03\x04";
/// Largest list of files in a wheel: one of 100,000 files has some 10 MB.
const LIST_BYTES: u64 = 16 << 20;
/// Largest `WHEEL` file, packed and unpacked: those that are known have some hundred bytes.
const TEXT_BYTES: u64 = 64 << 10;
/// How much may follow the end of the list: a comment.
const END_BYTES: u64 = 22 + u16::MAX as u64;
/// Pip takes, of equal wheels, the one with the highest build.
const BUILD: &str = "999999999nofx";

/// A name under which pip prefers the file to the same one of an index; none when it is no wheel.
pub(super) fn name(file: &mut (impl Read + Seek), project: &str, version: &str) -> Option<String> {
    let text = text(file)?;
    let mut tags: [Vec<&str>; 3] = Default::default();
    for line in text.lines().filter_map(|line| line.strip_prefix("Tag:")) {
        let parts: Vec<&str> = line.trim().split('-').collect();
        let [python, abi, platform] = parts.as_slice() else { return None };
        for (all, one) in tags.iter_mut().zip([python, abi, platform]) {
            if !one.is_empty() && !all.contains(one) {
                all.push(one);
            }
        }
    }
    let [python, abi, platform] = tags.map(|all| all.join("."));
    let is_whole = [&python, &abi, &platform].into_iter().all(|one| !one.is_empty());
    let escaped = |text: &str| text.replace('-', "_");
    is_whole.then(|| format!("{}-{}-{BUILD}-{python}-{abi}-{platform}.whl", escaped(project), escaped(version)))
}

/// The text of `*.dist-info/WHEEL`.
fn text(file: &mut (impl Read + Seek)) -> Option<String> {
    let size = file.seek(SeekFrom::End(0)).ok()?;
    let tail = read(file, size.saturating_sub(END_BYTES), size.min(END_BYTES))?;
    let end = tail.windows(4).rposition(|four| four == b"PK\x05\x06")?;
    let (bytes, begin) = (number(&tail, end + 12, 4)?, number(&tail, end + 16, 4)?);
    let list = read(file, begin, Some(bytes).filter(|bytes| *bytes <= LIST_BYTES)?)?;
    let (mut at, mut found) = (0, None);
    while list.get(at..at + 4) == Some(b"PK\x01\x02") {
        let lengths = [28, 30, 32].map(|field| number(&list, at + field, 2).and_then(|length| usize::try_from(length).ok()));
        let [Some(name), Some(extra), Some(comment)] = lengths else { return None };
        let path = list.get(at + 46..at + 46 + name)?;
        if path.ends_with(b".dist-info/WHEEL") && path.iter().filter(|byte| **byte == b'/').count() == 1 {
            // Of two nobody knows which one counts.
            if found.replace(at).is_some() {
                return None;
            }
        }
        at += 46 + name + extra + comment;
    }
    let at = found?;
    let [method, packed, begin] = [(10, 2), (20, 4), (42, 4)].map(|(field, length)| number(&list, at + field, length));
    let (packed, begin) = (packed.filter(|packed| *packed <= TEXT_BYTES)?, begin?);
    let head = read(file, begin, 30)?;
    let skipped = 30 + number(&head, 26, 2)? + number(&head, 28, 2)?;
    let packed = read(file, begin + skipped, packed)?;
    let mut text = String::new();
    match method? {
        0 => packed.as_slice().read_to_string(&mut text).ok()?,
        8 => flate2::read::DeflateDecoder::new(packed.as_slice()).take(TEXT_BYTES).read_to_string(&mut text).ok()?,
        _ => return None,
    };
    Some(text)
}

fn read(file: &mut (impl Read + Seek), begin: u64, bytes: u64) -> Option<Vec<u8>> {
    file.seek(SeekFrom::Start(begin)).ok()?;
    let mut all = vec![];
    file.take(bytes).read_to_end(&mut all).ok()?;
    (all.len() as u64 == bytes).then_some(all)
}

/// With its lowest byte first.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + length)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Cursor;

    use super::name;

    /// A zip of stored files; sums of their bytes are left out.
    pub(in crate::dependencies) fn zip(files: &[(&str, &str)]) -> Vec<u8> {
        let (mut all, mut list) = (vec![], vec![]);
        for (path, text) in files {
            let begin = u32::try_from(all.len()).expect("small");
            let sizes = u32::try_from(text.len()).expect("small").to_le_bytes().repeat(2);
            let length = u16::try_from(path.len()).expect("short").to_le_bytes();
            all.extend([b"PK\x03\x04".as_slice(), &[0; 14], &sizes, &length, &[0; 2], path.as_bytes(), text.as_bytes()].concat());
            list.extend([b"PK\x01\x02".as_slice(), &[0; 16], &sizes, &length, &[0; 12], &begin.to_le_bytes(), path.as_bytes()].concat());
        }
        let [begin, bytes] = [all.len(), list.len()].map(|number| u32::try_from(number).expect("small").to_le_bytes());
        all.extend([list.as_slice(), b"PK\x05\x06", &[0; 8], &bytes, &begin, &[0; 2]].concat());
        all
    }

    pub(in crate::dependencies) fn wheel(tags: &str) -> Vec<u8> {
        zip(&[("own_lib.py", "x = 1\n"), ("own_lib-1.0.dist-info/WHEEL", &format!("Wheel-Version: 1.0\n{tags}"))])
    }

    fn named(bytes: Vec<u8>) -> Option<String> {
        name(&mut Cursor::new(bytes), "own-lib", "1.0")
    }

    #[test]
    fn a_wheel_is_named_by_the_tags_in_it() {
        assert_eq!(named(wheel("Tag: py3-none-any\n")).as_deref(), Some("own_lib-1.0-999999999nofx-py3-none-any.whl"));
        let many = "Tag: cp312-cp312-manylinux_2_17_x86_64\r\nTag: cp312-cp312-manylinux2014_x86_64\r\n";
        let name = "own_lib-1.0-999999999nofx-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
        assert_eq!(named(wheel(many)).as_deref(), Some(name));
        let mut commented = wheel("Tag: py3-none-any\n");
        commented.extend([b'c'; 100]);
        assert!(named(commented).is_some(), "a comment follows");
    }

    #[test]
    fn what_is_no_wheel_has_no_name() {
        let good = wheel("Tag: py3-none-any\n");
        // The last two bytes are the length of a comment.
        for length in 0..good.len() - 2 {
            assert_eq!(named(good[..length].to_vec()), None, "{length}");
        }
        for at in 0..good.len() {
            let mut wrong = good.clone();
            wrong[at] ^= 0xff;
            // Whatever comes of it, it is no panic.
            named(wrong);
        }
        for (at, byte) in [(good.len() - 7, 0xff), (good.len() - 3, 0xff)] {
            let mut wrong = good.clone();
            wrong[at] = byte;
            assert_eq!(named(wrong), None, "a list of 4 GiB, or one that is nowhere");
        }
        let twice = zip(&[("a-1.dist-info/WHEEL", "Tag: py3-none-any\n"), ("b-1.dist-info/WHEEL", "Tag: py2-none-any\n")]);
        let below = zip(&[("x/a-1.dist-info/WHEEL", "Tag: py3-none-any\n")]);
        for wrong in [twice, below, zip(&[]), wheel(""), wheel("Tag: py3-none\n"), wheel("Tag: --\n"), vec![], vec![0; 100_000]] {
            assert_eq!(named(wrong), None);
        }
    }
}

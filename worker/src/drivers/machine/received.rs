//! What a machine sends is checked as it comes, piece by piece, before anything is done with it: names of files that are removed, and that an
//! archive is one.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use nofx_shared::engine::Failure;

/// Most files that a program may change, or remove.
pub(super) const FILES: usize = 200_000;
/// The longest path that the kernel takes (`PATH_MAX` without its end): a longer one cannot be removed.
const PATH_BYTES: usize = 4095;
/// The first block of an archive, with the sum of its bytes at this place, in octal digits.
const BLOCK_BYTES: usize = 512;
const SUM: std::ops::Range<usize> = 148..156;

/// Takes bytes in the order in which they come.
pub(super) trait Check: Send {
    fn push(&mut self, bytes: &[u8]) -> Result<(), Failure>;
    /// All has come.
    fn end(&self) -> Result<(), Failure>;
}

/// Paths below the folder, each with a zero byte at its end.
#[derive(Default)]
pub(super) struct Names {
    count: usize,
    /// Of the name that is not complete yet.
    begun: Vec<u8>,
}

impl Check for Names {
    fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        for piece in bytes.split_inclusive(|byte| *byte == 0) {
            let (name, is_whole) = piece.strip_suffix(b"\0").map_or((piece, false), |name| (name, true));
            if self.begun.len() + name.len() > PATH_BYTES {
                return Err(too_much(&format!("removed a file whose path is longer than {PATH_BYTES} bytes")));
            }
            self.begun.extend_from_slice(name);
            if !is_whole {
                return Ok(());
            }
            self.count += 1;
            if self.count > FILES {
                return Err(too_much(&format!("removed more than {FILES} files")));
            }
            let path = Path::new(OsStr::from_bytes(&self.begun));
            if self.begun.is_empty() || !path.components().all(|part| matches!(part, Component::Normal(_))) {
                return Err(Failure::permanent("the machine of the step named files outside of its folder"));
            }
            self.begun.clear();
        }
        Ok(())
    }

    fn end(&self) -> Result<(), Failure> {
        if self.count > 0 && self.begun.is_empty() { Ok(()) } else { Err(Failure::transient("the list of removed files was cut")) }
    }
}

/// An archive of tar's that is not compressed: what begins with a header is read as it is, and everything else tar takes for what its first
/// bytes say, and starts a program for it that makes any number of bytes of a few.
#[derive(Default)]
pub(super) struct Archive {
    block: Vec<u8>,
}

impl Check for Archive {
    fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let missing = BLOCK_BYTES - self.block.len();
        if missing == 0 {
            return Ok(());
        }
        self.block.extend_from_slice(&bytes[..missing.min(bytes.len())]);
        if self.block.len() < BLOCK_BYTES || is_header(&self.block) {
            return Ok(());
        }
        Err(Failure::permanent("the machine of the step sent changed files in something else than a plain archive of tar"))
    }

    fn end(&self) -> Result<(), Failure> {
        if self.block.len() == BLOCK_BYTES { Ok(()) } else { Err(Failure::transient("the archive of changed files was cut")) }
    }
}

/// By its checksum: the sum of all bytes of the block, those of the checksum itself counted as spaces
/// (<https://www.gnu.org/software/tar/manual/html_node/Standard.html>).
fn is_header(block: &[u8]) -> bool {
    let digits = block[SUM].strip_suffix(b"\0 ").filter(|digits| digits.iter().all(|digit| (b'0'..=b'7').contains(digit)));
    let Some(digits) = digits else { return false };
    let named = digits.iter().fold(0, |sum, digit| sum * 8 + u32::from(digit - b'0'));
    let is_counted = |(at, byte): (usize, &u8)| if SUM.contains(&at) { u32::from(b' ') } else { u32::from(*byte) };
    block.iter().enumerate().map(is_counted).sum::<u32>() == named
}

pub(super) fn too_much(what: &str) -> Failure {
    Failure::permanent(format!("the program {what}; nothing of it was taken over"))
}

#[cfg(test)]
mod tests {
    use super::{Archive, BLOCK_BYTES, Check, FILES, Names, PATH_BYTES, is_header};

    /// Whether it is fine, in pieces of each of these sizes alike.
    fn is_fine<C: Check + Default>(bytes: &[u8]) -> bool {
        let all = [1, 3, 511, 512, 64 << 10].map(|size| {
            let mut check = C::default();
            bytes.chunks(size).all(|piece| check.push(piece).is_ok()) && check.end().is_ok()
        });
        assert!(all.iter().all(|one| *one == all[0]), "it depends on how the bytes are cut: {all:?}");
        all[0]
    }

    #[test]
    fn only_names_below_the_folder_are_removed() {
        for good in ["a\0", "a/b\0c\0", "..a\0", "-rf\0", "a b\nc\0", "\u{e4}\0"] {
            assert!(is_fine::<Names>(good.as_bytes()), "{good:?}");
        }
        assert!(is_fine::<Names>(b"\xff\xfe\0"), "names need not be text");
        for wrong in ["", "\0", "a\0\0", "/etc/passwd\0", "../a\0", "a/../../b\0", ".\0", "./a\0", "a\0b", "a\0/\0"] {
            assert!(!is_fine::<Names>(wrong.as_bytes()), "{wrong:?}");
        }
        let many = "a\0".repeat(FILES);
        assert!(is_fine::<Names>(many.as_bytes()) && !is_fine::<Names>(format!("{many}a\0").as_bytes()));
    }

    #[test]
    fn no_more_of_the_names_is_held_than_one_path() {
        let longest = "a/".repeat(PATH_BYTES / 2) + "a\0";
        assert!(is_fine::<Names>(longest.as_bytes()) && !is_fine::<Names>(format!("b{longest}").as_bytes()));
        let (mut names, piece) = (Names::default(), [b'a'; 64 << 10]);
        let why = names.push(&piece).expect_err("it never ends").message;
        assert!(why.contains("longer than 4095 bytes; nothing of it was taken over"), "{why}");
        let mut names = Names::default();
        (0..1000).for_each(|_| names.push(longest.as_bytes()).expect("names"));
        assert!(names.begun.capacity() <= 2 * PATH_BYTES, "{}", names.begun.capacity());
    }

    /// What a program of this machine makes of an archive of one small file.
    #[expect(clippy::disallowed_methods, reason = "tar and its compressors say what their archives are")]
    fn packed(pipe: &str) -> Vec<u8> {
        let dir = tempfile::tempdir().expect("a folder");
        let script = format!("echo hi > a && tar --create {pipe}");
        let made = std::process::Command::new("bash").args(["-euc", &script]).current_dir(dir.path()).output().expect("bash");
        assert!(made.status.success() && !made.stdout.is_empty(), "{pipe}: {made:?}");
        made.stdout
    }

    #[test]
    fn an_archive_that_is_compressed_is_none() {
        for plain in ["a", "--format=pax a", "--format=ustar a", "--format=v7 a", "--format=oldgnu a", "--sparse a"] {
            assert!(is_fine::<Archive>(&packed(plain)), "{plain}");
        }
        for compressed in ["a | gzip", "a | bzip2", "a | xz"] {
            assert!(!is_fine::<Archive>(&packed(compressed)), "{compressed}");
        }
        // One whose first bytes are those of a compressor is read as a header all the same, or refused.
        let mut named = packed("a");
        named[..2].copy_from_slice(b"\x1f\x8b");
        assert!(!is_header(&named[..BLOCK_BYTES]));
        for wrong in [&b""[..], &b"hello"[..], &[0; 1024], &[b'0'; 1024], &packed("a")[..BLOCK_BYTES - 1]] {
            assert!(!is_fine::<Archive>(wrong), "{wrong:?}");
        }
    }
}

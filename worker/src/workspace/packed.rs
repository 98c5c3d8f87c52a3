//! A pack that a workspace was packed into: what each path has, by digest, and where its content is.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use nofx_sandbox::{Part, PartKind, read_header};
use nofx_shared::secrets::Mask;
use sha2::{Digest, Sha256};

use super::manifest::State;
use super::tree_id::BlobId;

#[derive(Debug)]
pub(super) struct Packed {
    /// Of all of it.
    pub digest: String,
    pub size: u64,
    pub states: Vec<(String, State)>,
}

/// Reads a pack from its start. The error names a file that has a secret of the step.
/// `is_sha256`: how the repository names objects.
pub(super) fn read(file: &mut File, mask: &Mask, is_sha256: bool) -> Result<Packed, String> {
    let failed = |error: std::io::Error| format!("the pack could not be read: {error}");
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut whole = Sha256::new();
    let mut input = Summed { input: BufReader::with_capacity(1 << 20, &mut *file), sum: &mut whole, size: 0 };
    let parts: Vec<Part> = read_header(&mut input).map_err(failed)?;
    let mut states = vec![];
    for Part { path, mode, kind } in parts {
        let state = match kind {
            PartKind::Gone => State::Gone,
            PartKind::Folder => State::Folder { mode },
            PartKind::Link { target } => State::Link { target },
            PartKind::File { size, mtime_ns } => {
                let at = input.size;
                let (sha256, blob) = content(&mut input, size, mask, is_sha256).map_err(|why| format!("`{path}` {why}"))?;
                State::File { mode, size, mtime_ns, sha256, blob, pack: String::new(), at }
            }
        };
        states.push((path, state));
    }
    let size = input.size;
    let digest = hex::encode(whole.finalize());
    for (_, state) in &mut states {
        if let State::File { pack, .. } = state {
            digest.clone_into(pack);
        }
    }
    Ok(Packed { digest, size, states })
}

/// The digest of a file's content, and git's name for it.
fn content(input: &mut impl Read, size: u64, mask: &Mask, is_sha256: bool) -> Result<(String, String), String> {
    let (mut sum, mut blob) = (Sha256::new(), BlobId::new(size, is_sha256));
    // The end of the chunk before stays in the buffer: a secret may span two chunks.
    let overlap = mask.longest().saturating_sub(1);
    let (mut buffer, mut kept, mut left) = (vec![0; overlap + (256 << 10)], 0, size);
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len() - kept);
        let read = input.read(&mut buffer[kept..kept + most]).map_err(|error| format!("could not be read: {error}"))?;
        if read == 0 {
            return Err("is cut short in its pack".to_owned());
        }
        sum.update(&buffer[kept..kept + read]);
        blob.update(&buffer[kept..kept + read]);
        left -= read as u64;
        let end = kept + read;
        if overlap > 0 && mask.is_in(&buffer[..end]) {
            return Err("contains a secret of the step, so the workspace cannot be kept for the next step".to_owned());
        }
        kept = end.min(overlap);
        buffer.copy_within(end - kept..end, 0);
    }
    Ok((hex::encode(sum.finalize()), blob.finish()))
}

struct Summed<'a, R> {
    input: R,
    sum: &'a mut Sha256,
    size: u64,
}

impl<R: Read> Read for Summed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.sum.update(&buffer[..read]);
        self.size += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use nofx_sandbox::{Part, PartKind, write_header};
    use nofx_shared::secrets::Mask;
    use sha2::{Digest, Sha256};

    use super::super::manifest::State;
    use super::read;

    fn pack(contents: &[&str]) -> std::fs::File {
        let part = |(n, content): (usize, &&str)| Part {
            path: n.to_string(),
            mode: 0o644,
            kind: PartKind::File { size: content.len() as u64, mtime_ns: 0 },
        };
        let parts: Vec<Part> = contents.iter().enumerate().map(part).collect();
        let mut file = tempfile::tempfile().expect("a file");
        write_header(&parts, &mut file).expect("written");
        file.write_all(contents.concat().as_bytes()).expect("written");
        file
    }

    #[test]
    fn each_content_is_found_where_the_pack_says() {
        let mut file = pack(&["one", "", "three"]);
        let packed = read(&mut file, &Mask::default(), false).expect("read");
        let mut whole = vec![];
        file.rewind().expect("a file");
        std::io::Read::read_to_end(&mut file, &mut whole).expect("read");
        assert_eq!((packed.digest.clone(), packed.size), (hex::encode(Sha256::digest(&whole)), whole.len() as u64));
        for ((_, state), content) in packed.states.iter().zip(["one", "", "three"]) {
            let State::File { size, sha256, at, pack, .. } = state else { panic!("a file") };
            let at = usize::try_from(*at).expect("small");
            assert_eq!(&whole[at..at + content.len()], content.as_bytes());
            assert_eq!(
                (*size, sha256.as_str(), pack),
                (content.len() as u64, hex::encode(Sha256::digest(content)).as_str(), &packed.digest)
            );
        }
    }

    #[test]
    fn a_secret_is_found_wherever_it_is_and_a_short_pack_is_none() {
        let mask = Mask::new(["hunter2-hunter2".to_owned()]);
        let long = format!("{}hunter2-hunter2", "x".repeat((256 << 10) - 3));
        assert!(read(&mut pack(&["fine", &long]), &mask, false).is_err_and(|why| why.starts_with("`1` contains a secret")));
        assert!(read(&mut pack(&["hunter2-", "hunter2"]), &mask, false).is_ok(), "in two files it is none");
        let mut file = pack(&["cut"]);
        let length = file.metadata().expect("a file").len();
        file.set_len(length - 1).expect("cut");
        assert!(read(&mut file, &mask, false).is_err_and(|why| why.contains("cut short")));
    }
}

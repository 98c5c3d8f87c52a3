//! From a manifest and its packs to what a workspace is given: one pack with all that differs from the checkout.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};

use nofx_sandbox::{Part, PartKind, write_header};
use sha2::{Digest, Sha256};

use super::manifest::{Manifest, State};

/// Each content is compared with its digest once more: a manifest may name a place in a pack that has something else.
pub(super) fn pack_of(manifest: &Manifest, packs: &mut BTreeMap<String, File>, output: File) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("the pack could not be written: {error}");
    let parts: Vec<Part> = manifest.entries.iter().map(|(path, entry)| part(path, &entry.state)).collect();
    let mut output = BufWriter::with_capacity(1 << 20, output);
    write_header(&parts, &mut output).map_err(failed)?;
    for (path, entry) in &manifest.entries {
        let State::File { size, sha256, pack, at, .. } = &entry.state else { continue };
        let from = packs.get_mut(pack).ok_or_else(|| format!("the pack with `{path}` is not there"))?;
        from.seek(SeekFrom::Start(*at)).map_err(failed)?;
        let mut content = from.take(*size);
        let (mut sum, mut buffer, mut left) = (Sha256::new(), vec![0; 256 << 10], *size);
        while left > 0 {
            let read = content.read(&mut buffer).map_err(failed)?;
            if read == 0 {
                return Err(format!("`{path}` is cut short in its pack"));
            }
            sum.update(&buffer[..read]);
            output.write_all(&buffer[..read]).map_err(failed)?;
            left -= read as u64;
        }
        if hex::encode(sum.finalize()) != *sha256 {
            return Err(format!("the content of `{path}` is not what its snapshot names"));
        }
    }
    output.flush().map_err(failed)
}

fn part(path: &str, state: &State) -> Part {
    let (mode, kind) = match state {
        State::Gone => (0, PartKind::Gone),
        State::Folder { mode } => (*mode, PartKind::Folder),
        State::Link { target } => (0, PartKind::Link { target: target.clone() }),
        State::File { mode, size, mtime_ns, .. } => (*mode, PartKind::File { size: *size, mtime_ns: *mtime_ns }),
    };
    Part { path: path.to_owned(), mode, kind }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs::File;
    use std::io::Seek;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use nofx_sandbox::{TreeOp, write_header};
    use nofx_shared::secrets::Mask;

    use super::super::manifest::{Manifest, State};
    use super::super::packed::read;
    use super::pack_of;
    use crate::drivers::Processes;

    async fn packed(folder: &Path, paths: &[&str]) -> File {
        let (mut input, output) = (tempfile::tempfile().expect("a file"), tempfile::tempfile().expect("a file"));
        write_header(&paths, &mut input).expect("written");
        input.rewind().expect("a file");
        Processes::own().tree(folder, TreeOp::Pack, input, output.try_clone().expect("a file")).await.expect("packed");
        output
    }

    #[tokio::test]
    async fn what_two_steps_left_is_made_elsewhere() {
        let [from, to] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let write = |folder: &Path, name: &str, text: &str| {
            std::fs::create_dir_all(folder.join(name).parent().expect("a folder")).expect("folders");
            std::fs::write(folder.join(name), text).expect("a file");
        };
        write(to.path(), "gone", "of the checkout");
        write(to.path(), "changed", "of the checkout");
        let (mut manifest, mut packs) = (Manifest::default(), BTreeMap::new());
        manifest.change("gone", State::Gone, false, "a");
        for (step, paths) in [("a", &["changed", "d", "d/x"][..]), ("b", &["changed", "link"])] {
            paths.iter().filter(|path| !["d", "link"].contains(path)).for_each(|path| write(from.path(), path, &format!("{step} {path}")));
            if step == "b" {
                symlink("d/x", from.path().join("link")).expect("a link");
                std::fs::set_permissions(from.path().join("changed"), std::fs::Permissions::from_mode(0o755)).expect("set");
            }
            let mut file = packed(from.path(), paths).await;
            let pack = read(&mut file, &Mask::default(), false).expect("read");
            pack.states.into_iter().for_each(|(path, state)| manifest.change(&path, state, false, step));
            packs.insert(pack.digest, file);
        }
        assert_eq!(manifest.packs().len(), 2);
        let mut pack = tempfile::tempfile().expect("a file");
        pack_of(&manifest, &mut packs, pack.try_clone().expect("a file")).expect("a pack");
        pack.rewind().expect("a file");
        let nothing = File::open("/dev/null").expect("open");
        Processes::own().tree(to.path(), TreeOp::Unpack, pack, nothing).await.expect("unpacked");
        let text = |name: &str| std::fs::read_to_string(to.path().join(name)).ok();
        assert_eq!((text("gone"), text("changed").as_deref(), text("link").as_deref()), (None, Some("b changed"), Some("a d/x")));
        assert_eq!(to.path().join("changed").metadata().expect("a file").permissions().mode() & 0o777, 0o755);

        let Some(entry) = manifest.entries.get_mut("d/x") else { panic!("it is there") };
        let State::File { at, .. } = &mut entry.state else { panic!("a file") };
        *at += 1;
        assert!(
            pack_of(&manifest, &mut packs, tempfile::tempfile().expect("a file")).is_err_and(|why| why.contains("`d/x`")),
            "it has another content there"
        );
    }
}

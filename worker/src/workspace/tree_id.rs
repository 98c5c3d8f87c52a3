//! The name of a tree, as git computes it: without a process, and without an object that would be written.

use std::collections::BTreeMap;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A file that git sees: from `git ls-files --stage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TreeFile {
    pub mode: String,
    pub object: Vec<u8>,
    pub path: String,
}

#[derive(Default)]
struct Tree<'a> {
    files: BTreeMap<&'a str, &'a TreeFile>,
    folders: BTreeMap<&'a str, Tree<'a>>,
}

/// Reads `<mode> <object> <stage>\t<path>\0`; none when it is anything else.
pub(super) fn read_ls_files(printed: &str) -> Option<Vec<TreeFile>> {
    let one = |line: &str| {
        let (about, path) = line.split_once('\t')?;
        let mut about = about.split(' ');
        let (mode, object, stage) = (about.next()?, about.next()?, about.next()?);
        let object = hex::decode(object).ok()?;
        (stage == "0").then(|| TreeFile { mode: mode.trim_start_matches('0').to_owned(), object, path: path.to_owned() })
    };
    printed.split_terminator('\0').map(one).collect()
}

/// Reads `<mode> <type> <object>\t<path>\0`, from `git ls-tree`; none when it is anything else.
pub(super) fn read_ls_tree(printed: &str) -> Option<Vec<TreeFile>> {
    let one = |line: &str| {
        let (about, path) = line.split_once('\t')?;
        let mut about = about.split(' ');
        let (mode, object) = (about.next()?, about.nth(1)?);
        Some(TreeFile { mode: mode.trim_start_matches('0').to_owned(), object: hex::decode(object).ok()?, path: path.to_owned() })
    };
    printed.split_terminator('\0').map(one).collect()
}

/// Names content as git does.
pub(super) struct BlobId(Hash);

enum Hash {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl BlobId {
    pub(super) fn new(size: u64, is_sha256: bool) -> Self {
        let head = format!("blob {size}\0");
        Self(if is_sha256 { Hash::Sha256(Sha256::new().chain_update(head)) } else { Hash::Sha1(Sha1::new().chain_update(head)) })
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Hash::Sha1(sum) => sum.update(bytes),
            Hash::Sha256(sum) => sum.update(bytes),
        }
    }

    pub(super) fn finish(self) -> String {
        match self.0 {
            Hash::Sha1(sum) => hex::encode(sum.finalize()),
            Hash::Sha256(sum) => hex::encode(sum.finalize()),
        }
    }
}

/// The name of the tree with these files.
pub(super) fn tree_id<'a>(files: impl IntoIterator<Item = &'a TreeFile>) -> String {
    let (mut top, mut is_sha256) = (Tree::default(), false);
    for file in files {
        is_sha256 |= file.object.len() == 32;
        let mut at = &mut top;
        let mut parts = file.path.split('/').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_some() {
                at = at.folders.entry(part).or_default();
            } else {
                at.files.insert(part, file);
            }
        }
    }
    hex::encode(id(&top, is_sha256))
}

fn id(tree: &Tree<'_>, is_sha256: bool) -> Vec<u8> {
    // Git sorts a folder as if its name ended in a slash.
    let mut entries: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for (name, file) in &tree.files {
        entries.insert(name.as_bytes().to_vec(), [file.mode.as_bytes(), b" ", name.as_bytes(), b"\0", &file.object].concat());
    }
    for (name, folder) in &tree.folders {
        entries.insert([name.as_bytes(), b"/"].concat(), [b"40000 ", name.as_bytes(), b"\0", &id(folder, is_sha256)].concat());
    }
    let content = entries.into_values().collect::<Vec<_>>().concat();
    let head = format!("tree {}\0", content.len());
    if is_sha256 {
        Sha256::new().chain_update(head).chain_update(content).finalize().to_vec()
    } else {
        Sha1::new().chain_update(head).chain_update(content).finalize().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::{BlobId, TreeFile, read_ls_files, read_ls_tree, tree_id};

    #[test]
    fn content_has_the_name_that_git_gives_it() {
        let mut id = BlobId::new(6, false);
        id.update(b"hel");
        id.update(b"lo\n");
        assert_eq!(id.finish(), "ce013625030ba8dba906f756967f9e9ca394464a");
        assert_eq!(BlobId::new(0, true).finish(), "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813");
    }

    #[test]
    fn what_ls_tree_prints_is_read() {
        let object = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
        let one = TreeFile { mode: "100755".to_owned(), object: hex::decode(object).expect("hex"), path: "a/b".to_owned() };
        assert_eq!(read_ls_tree(&format!("100755 blob {object}\ta/b\0")), Some(vec![one]));
        assert_eq!(read_ls_tree("100755 blob\ta/b\0"), None);
    }

    #[test]
    fn the_empty_tree_has_the_name_that_git_gives_it() {
        assert_eq!(tree_id([]), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    }

    #[test]
    fn what_is_no_list_of_staged_files_is_none() {
        let object = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
        let one = TreeFile { mode: "100644".to_owned(), object: hex::decode(object).expect("hex"), path: "a b\tc".to_owned() };
        assert_eq!(read_ls_files(&format!("100644 {object} 0\ta b\tc\0")), Some(vec![one]));
        for wrong in [format!("100644 {object} 2\ta\0"), "x".to_owned(), "100644 zz 0\ta\0".to_owned()] {
            assert_eq!(read_ls_files(&wrong), None, "{wrong:?}");
        }
        assert_eq!(read_ls_files(""), Some(vec![]));
    }
}

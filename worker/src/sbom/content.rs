//! What is read of a file that names packages: to limits that hold for all formats, so that nothing a parser makes of it takes many times
//! the memory of the largest file there is.

use nofx_sandbox::Files;

/// Largest file, in bytes: the largest lock files that are known have 5 MB.
pub(super) const BYTES: u64 = 16 << 20;
/// Most values of a file, in whatever format: lines, and entries of lists and tables. The largest that are known have 400,000. Parsers make
/// some hundred bytes of each, however short it is.
const VALUES: usize = 1_000_000;

/// The text of a file without its byte order mark; none when there is no such file.
pub(crate) fn text(folder: &Files, name: &str) -> Result<Option<String>, String> {
    let Some(bytes) = content(folder, name)? else { return Ok(None) };
    let mut text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(Some(text))
}

/// The bytes of a file; none when there is no such file.
pub(super) fn content(folder: &Files, name: &str) -> Result<Option<Vec<u8>>, String> {
    let Some(bytes) = folder.read(name, BYTES)? else { return Ok(None) };
    // Each value but the first stands behind one of them.
    let values = bytes.iter().filter(|byte| b"\n\r,[{".contains(byte)).count();
    if values > VALUES { Err(format!("has more than {VALUES} lines and entries")) } else { Ok(Some(bytes)) }
}

#[cfg(test)]
mod tests {
    use nofx_sandbox::Files;

    use super::{BYTES, VALUES, text};

    #[test]
    fn a_file_has_limited_bytes_and_values_whatever_its_format() {
        let dir = tempfile::tempdir().expect("a folder");
        let of = |content: &str| {
            std::fs::write(dir.path().join("lock"), content).expect("written");
            text(&Files::own(dir.path()).expect("open"), "lock").map(|text| text.map(|text| text.len()))
        };
        for (value, count) in [("a\n", 1), ("\r\n", 2), ("[],", 2), ("{a,", 2), ("0,", 1)] {
            let most = VALUES / count;
            assert!(of(&value.repeat(most)).is_ok_and(|found| found.is_some()), "{value:?}");
            assert_eq!(of(&value.repeat(most + 1)), Err("has more than 1000000 lines and entries".to_owned()), "{value:?}");
        }
        assert_eq!(of(&"a".repeat(BYTES as usize)), Ok(Some(BYTES as usize)));
        assert_eq!(of(&"a".repeat(BYTES as usize + 1)), Err("is larger than 16777216 bytes".to_owned()));
        assert_eq!(of("\u{feff}a"), Ok(Some(1)));
    }
}

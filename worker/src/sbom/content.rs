//! What is read of a file that names packages: to limits that hold for all formats, so that nothing a parser makes of it takes many times
//! the memory of the largest file there is.

use nofx_sandbox::Files;

/// Largest file, in bytes: the largest lock files that are known have 5 MB.
pub(super) const BYTES: u64 = 16 << 20;
/// Most values of a file, in whatever format: lines, and entries of lists and tables. The largest that are known have 400,000. Parsers make
/// some hundred bytes of each, however short it is.
const VALUES: usize = 1_000_000;
/// Most parts of dotted names of a file in TOML: each is a table, of a kilobyte. The largest lock files that are known have 20,000.
const PARTS: usize = 100_000;

/// The text of a file without its byte order mark; none when there is no such file.
pub(crate) fn text(folder: &Files, name: &str) -> Result<Option<String>, String> {
    content(folder, name)?.map(text_of).transpose()
}

/// The text of a file's bytes.
pub(super) fn text_of(bytes: Vec<u8>) -> Result<String, String> {
    let mut text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// The bytes of a file; none when there is no such file.
pub(super) fn content(folder: &Files, name: &str) -> Result<Option<Vec<u8>>, String> {
    let Some(bytes) = folder.read(name, BYTES)? else { return Ok(None) };
    // Each value but the first stands behind one of them.
    let values = bytes.iter().filter(|byte| b"\n\r,[{".contains(byte)).count();
    if values > VALUES { Err(format!("has more than {VALUES} lines and entries")) } else { Ok(Some(bytes)) }
}

/// What a text of TOML says. All of it is read into tables before what is not needed is left out.
pub(super) fn toml<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, String> {
    // Dots before the end of a name, of a table's name or of the text; what is in quotes counts, too.
    let (mut names, mut parts, mut dots) = (0, 0, 0);
    for byte in text.bytes() {
        match byte {
            b'.' => dots += 1,
            b'=' | b']' => {
                names += 1;
                parts += std::mem::take(&mut dots);
            }
            b'\n' | b',' | b'{' | b'[' => dots = 0,
            _ => {}
        }
    }
    if names > VALUES || parts + dots > PARTS {
        return Err(format!("has more than {VALUES} names, or {PARTS} parts of them"));
    }
    toml::from_str(text).map_err(|error| format!("is not {what}: {error}"))
}

#[cfg(test)]
mod tests {
    use nofx_sandbox::Files;

    use super::{BYTES, PARTS, VALUES, text, toml};

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

    #[test]
    fn names_of_many_parts_are_refused_before_they_are_tables() {
        let read = |text: &str| toml::<::toml::Table>(text, "a lock").map(|table| table.len());
        let of = |names: usize, parts: usize| (0..names).map(|n| format!("k{n}{} = 1\n", ".a".repeat(parts - 1))).collect::<String>();
        assert_eq!(read(&of(1250, 80)), Ok(1250));
        for bomb in [of(1300, 80), ".".repeat(PARTS + 1), "=".repeat(VALUES + 1), format!("[{}]", ".a".repeat(PARTS + 1))] {
            assert!(read(&bomb).is_err_and(|why| why.contains("parts of them")), "{}", &bomb[..20]);
        }
        // Addresses and versions are values.
        assert_eq!(read(&"[[package]]\nversion = \"1.2.3\"\nurl = \"https://a.b.c.d/e.f-1.2.3.tar.gz\"\n".repeat(20_000)), Ok(1));
    }
}

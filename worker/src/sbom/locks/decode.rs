//! The text of a file.

use nofx_sandbox::Files;

/// Largest lock file, in bytes: the largest known ones have 5 MB.
pub(crate) const LOCK_BYTES: u64 = 64 << 20;

/// The text of a file without its byte order mark; none when there is no such file.
pub(in crate::sbom) fn decode(folder: &Files, name: &str) -> Result<Option<String>, String> {
    let Some(bytes) = folder.read(name, LOCK_BYTES)? else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    Ok(Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)))
}

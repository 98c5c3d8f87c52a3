//! Data goes to standard output, here and nowhere else; talk goes to standard error.

use std::fmt::Arguments;
use std::io::Write;

/// Prints one line of data. A reader that closed its end (`nofx events | head`) has read enough: that ends the command with success.
pub(crate) fn line(text: Arguments<'_>) {
    if writeln!(std::io::stdout().lock(), "{text}").is_err() {
        std::process::exit(0);
    }
}

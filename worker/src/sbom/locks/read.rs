use crate::sbom::package::Package;

/// How a format is read: the text of a file to all packages that it names, or why it cannot be read.
pub(in crate::sbom) type Read = fn(&str) -> Result<Vec<Package>, String>;

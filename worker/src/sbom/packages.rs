//! The packages of one file, while it is read: no more of them than a bill can have.

use super::package::Package;

/// Most packages of one file, and of one bill.
pub(super) const PACKAGES: usize = 200_000;
/// Most bytes of the texts of all packages, in memory: those of the largest known lock files have 5 MB.
pub(super) const PACKAGE_BYTES: usize = 64 << 20;

#[derive(Default)]
pub(super) struct Packages {
    all: Vec<Package>,
    bytes: usize,
}

impl Packages {
    /// All of them, or what is wrong with the first that is none.
    pub(super) fn collect(packages: impl IntoIterator<Item = Result<Package, String>>) -> Result<Vec<Package>, String> {
        let mut all = Self::default();
        for package in packages {
            all.push(package?)?;
        }
        Ok(all.into_vec())
    }

    pub(super) fn push(&mut self, package: Package) -> Result<(), String> {
        self.bytes += package.bytes();
        if self.all.len() == PACKAGES {
            return Err(format!("names more than {PACKAGES} packages"));
        }
        if self.bytes > PACKAGE_BYTES {
            return Err(format!("names packages with more than {PACKAGE_BYTES} bytes of text"));
        }
        self.all.push(package);
        Ok(())
    }

    pub(super) fn as_slice(&self) -> &[Package] {
        &self.all
    }

    pub(super) fn into_vec(self) -> Vec<Package> {
        self.all
    }
}

#[cfg(test)]
mod tests {
    use super::super::package::{Ecosystem, Origin, Package};
    use super::{PACKAGE_BYTES, PACKAGES, Packages};

    #[test]
    fn a_file_names_a_limited_number_of_packages_with_limited_texts() {
        let named = |name: &str| Package::new(Ecosystem::Npm, name, None, Origin::Registry);
        let of = |count: usize| {
            let mut taken = 0;
            let found = Packages::collect((0..count).map(|_| {
                taken += 1;
                Ok(named("a"))
            }));
            (found.map(|found| found.len()), taken)
        };
        assert_eq!(of(PACKAGES), (Ok(PACKAGES), PACKAGES));
        let reason = "names more than 200000 packages".to_owned();
        assert_eq!(of(usize::MAX), (Err(reason), PACKAGES + 1), "no more of them are made");
        let large = "a".repeat(PACKAGE_BYTES / 2);
        let reason = "names packages with more than 67108864 bytes of text".to_owned();
        assert_eq!(Packages::collect([Ok(named(&large)), Ok(named(&large))]).map(|found| found.len()), Err(reason));
    }
}

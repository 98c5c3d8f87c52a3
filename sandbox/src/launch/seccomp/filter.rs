//! The filters as programs of the kernel.

use std::collections::BTreeMap;
use std::fmt::Write;

use nix::libc;
use seccompiler::{BackendError, BpfProgram, SeccompAction, SeccompFilter, TargetArch};
use sha2::{Digest, Sha256};

use super::arguments::Sockets;
use super::search::only;
use super::{allowed, arguments, denied};

/// The filters, in the order in which they are applied: of two that refuse a call the later one's answer counts.
pub(super) fn filters(sockets: Sockets, has_own_ipc: bool) -> Result<[BpfProgram; 2], BackendError> {
    let ipc = if has_own_ipc { allowed::IPC } else { &[] };
    let allowed = [allowed::EVERYWHERE, allowed::HERE, allowed::NEWER, ipc].concat();
    let mut refused: BTreeMap<_, _> = denied::ALWAYS.iter().map(|call| (*call, vec![])).collect();
    refused.extend(arguments::refused(sockets)?);
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let refusals = SeccompFilter::new(refused, SeccompAction::Allow, errno(libc::EPERM), arch)?;
    Ok([only(&allowed, errno(libc::ENOSYS), arch), refusals.try_into()?])
}

fn errno(number: i32) -> SeccompAction {
    SeccompAction::Errno(number.cast_unsigned())
}

/// `sha256:<hex>` of all instructions, each as the kernel reads it, with the bytes of its numbers in the order of the network; each filter
/// begins with its length.
pub(super) fn digest(filters: &[BpfProgram]) -> String {
    let mut hash = Sha256::new();
    for filter in filters {
        hash.update(u64::try_from(filter.len()).unwrap_or(u64::MAX).to_be_bytes());
        for one in filter {
            hash.update(one.code.to_be_bytes());
            hash.update([one.jt, one.jf]);
            hash.update(one.k.to_be_bytes());
        }
    }
    hash.finalize().iter().fold("sha256:".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::arguments::Sockets;
    use super::super::{allowed, denied};
    use super::{digest, filters};

    #[test]
    fn a_call_is_allowed_or_refused_and_listed_once() {
        let mut listed = BTreeSet::new();
        for call in [allowed::EVERYWHERE, allowed::HERE, allowed::NEWER, allowed::IPC, denied::ALWAYS].concat() {
            assert!(listed.insert(call), "system call {call} is listed twice");
        }
    }

    #[test]
    fn equal_filters_have_equal_digests() {
        let of = |sockets, has_own_ipc| digest(&filters(sockets, has_own_ipc).expect("filters"));
        let none = of(Sockets::Unix, false);
        assert_eq!(none, of(Sockets::Unix, false));
        let all: BTreeSet<String> = [none, of(Sockets::Unix, true), of(Sockets::Tcp, false), of(Sockets::Tcp, true)].into();
        assert_eq!(all.len(), 4);
        assert!(all.iter().all(|digest| digest.len() == "sha256:".len() + 64));
    }
}

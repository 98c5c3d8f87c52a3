//! Calls that are refused for some of their arguments. Only the lower half of a word is compared, since the kernel reads these as `int`.

use nix::libc;
use seccompiler::{BackendError, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};

/// New namespaces. The time namespace has no flag of `clone`, only of `clone3` and `unshare`.
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];
/// Types of sockets are a number below 16; flags are above it.
const TYPES: i32 = 0xf;
/// The terminal's: one puts text into the input of who reads it, the other into the console's selection.
const TERMINAL: [u64; 2] = [libc::TIOCSTI, 0x541c];
/// What `personality` does when it only reads.
const READ_ONLY: i32 = -1;

/// Which sockets a program may make.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::launch) enum Sockets {
    /// None of the internet's families.
    Unix,
    /// Of those TCP only.
    Tcp,
}

/// Each call with the rules of which one is enough to refuse it.
pub(super) fn refused(sockets: Sockets) -> Result<Vec<(i64, Vec<SeccompRule>)>, BackendError> {
    let clone = NAMESPACES.map(|flag| rule([masked(0, flag, flag)])).into_iter().collect::<Result<_, _>>()?;
    let ioctl = TERMINAL.map(|request| rule([compare(1, SeccompCmpOp::Eq, request)])).into_iter().collect::<Result<_, _>>()?;
    let personality = vec![rule([not(0, 0), not(0, READ_ONLY)])?];
    let fast = |flags| Ok(vec![rule([masked(flags, libc::MSG_FASTOPEN, libc::MSG_FASTOPEN)])?]);
    let other_protocol = vec![rule([is(1, libc::IPPROTO_TCP), is(2, libc::TCP_ULP)])?];
    let socketpair = vec![rule([not(0, libc::AF_UNIX)])?];
    let socket = match sockets {
        Sockets::Unix => socketpair.clone(),
        Sockets::Tcp => other_than_tcp()?,
    };
    Ok(vec![
        (libc::SYS_clone, clone),
        (libc::SYS_ioctl, ioctl),
        (libc::SYS_personality, personality),
        // Connects without `connect`, so that Landlock does not see it.
        (libc::SYS_sendto, fast(3)?),
        (libc::SYS_sendmsg, fast(2)?),
        (libc::SYS_sendmmsg, fast(3)?),
        // What the kernel puts on top of TCP may be a protocol that Landlock does not know.
        (libc::SYS_setsockopt, other_protocol),
        (libc::SYS_socket, socket),
        (libc::SYS_socketpair, socketpair),
    ])
}

/// Sockets that are neither of this host's files nor TCP. Multipath TCP is not: Landlock's ports do not hold for it.
fn other_than_tcp() -> Result<Vec<SeccompRule>, BackendError> {
    let mut rules = vec![
        rule([not(0, libc::AF_UNIX), not(0, libc::AF_INET), not(0, libc::AF_INET6)])?,
        rule([not(0, libc::AF_UNIX), not(2, 0), not(2, libc::IPPROTO_TCP)])?,
    ];
    for kind in (0..=TYPES).filter(|kind| *kind != libc::SOCK_STREAM) {
        rules.push(rule([not(0, libc::AF_UNIX), masked(1, TYPES, kind)])?);
    }
    Ok(rules)
}

type Condition = Result<SeccompCondition, BackendError>;

fn rule<const N: usize>(conditions: [Condition; N]) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.into_iter().collect::<Result<_, _>>()?)
}

fn compare(argument: u8, by: SeccompCmpOp, value: u64) -> Condition {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, by, value)
}

fn is(argument: u8, value: i32) -> Condition {
    compare(argument, SeccompCmpOp::Eq, word(value))
}

fn not(argument: u8, value: i32) -> Condition {
    compare(argument, SeccompCmpOp::Ne, word(value))
}

fn masked(argument: u8, mask: i32, value: i32) -> Condition {
    compare(argument, SeccompCmpOp::MaskedEq(word(mask)), word(value))
}

/// The bits of an `int`.
fn word(value: i32) -> u64 {
    u64::from(value.cast_unsigned())
}

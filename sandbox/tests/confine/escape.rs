//! What a hostile program tries. The table is the promise of each level, and `docs/confinement.md` its short form.
#![expect(clippy::disallowed_methods, reason = "starts a neighbour that is not confined")]

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nofx_shared::drivers::Level;
use serde_json::json;

use crate::program::{LEVELS, Program, install, open_to_all};

const DONE: &str = "done";

/// Attempt; its outcome (`|`: one of them, as the host is) at L1, L2 and L3 for a program without a network.
const OUTCOMES: &[(&str, [&str; 3])] = &[
    ("read a file of the system", [DONE; 3]),
    ("read the passwords", ["EACCES"; 3]),
    ("read a private file", ["EACCES", "EACCES", "ENOENT"]),
    ("read a public file outside", [DONE, "EACCES", "ENOENT"]),
    ("list a folder outside", [DONE, "EACCES", "ENOENT"]),
    ("write outside", [DONE, "EACCES", "ENOENT"]),
    ("truncate a file outside", ["EACCES", "EACCES", "ENOENT"]),
    ("link a file from outside", ["EPERM", "EPERM", "ENOENT"]),
    ("move a folder outside", [DONE, "EACCES", "ENOENT"]),
    ("write to the system", ["EACCES", "EACCES", "EROFS"]),
    ("write to a toolchain", ["EACCES", "EACCES", "EROFS"]),
    ("write to a folder that is read-only by rule", [DONE, "EACCES", "EROFS"]),
    ("write to the workspace", [DONE; 3]),
    ("write to the scratch folder", [DONE; 3]),
    ("write to shared memory", [DONE, "EACCES", DONE]),
    ("make a device", ["EPERM"; 3]),
    ("read the disk", ["EACCES|ENOENT", "EACCES|ENOENT", "ENOENT"]),
    ("open the terminal", ["ENXIO", "EACCES", "EACCES"]),
    ("read the parent's environment", ["EACCES", "EACCES", "ENOENT"]),
    ("see the parent's command line", [DONE, DONE, "ENOENT"]),
    ("read a neighbour's environment", [DONE, "EACCES", "ENOENT"]),
    ("write a neighbour's memory", [DONE, "EACCES", "ENOENT"]),
    ("signal the parent", ["EPERM", "EPERM", "ESRCH"]),
    ("signal a neighbour", [DONE, "EPERM", "ESRCH"]),
    ("signal one's own process", [DONE; 3]),
    ("trace a neighbour", ["EPERM"; 3]),
    ("read a neighbour's memory", ["EPERM"; 3]),
    // At L3 a program has a network of its own, in which nobody else listens.
    ("connect to a service of this host", ["EPERM", "EPERM", "ECONNREFUSED"]),
    ("connect to it as IPv6", ["EPERM", "EPERM", "ECONNREFUSED"]),
    ("connect to the proxy", ["EPERM", "EPERM", "ECONNREFUSED"]),
    ("connect by sending", ["EPERM"; 3]),
    ("connect by sending a message", ["EPERM"; 3]),
    ("connect by sending messages", ["EPERM"; 3]),
    ("another protocol on top of TCP", ["EPERM"; 3]),
    ("listen on a port that is free", ["EPERM", "EPERM", DONE]),
    ("listen on a port of choice", ["EPERM", "EPERM", DONE]),
    ("multipath TCP", ["EPERM"; 3]),
    ("UDP", ["EPERM"; 3]),
    ("UDP of IPv6", ["EPERM"; 3]),
    ("raw socket", ["EPERM"; 3]),
    ("ping socket", ["EPERM"; 3]),
    ("packet socket", ["EPERM"; 3]),
    ("netlink socket", ["EPERM"; 3]),
    ("vsock", ["EPERM"; 3]),
    ("crypto socket", ["EPERM"; 3]),
    ("socket pair", [DONE; 3]),
    ("abstract socket", [DONE, "EPERM", "ECONNREFUSED"]),
    // Landlock has it from version 9 on.
    ("socket of another user in the file system", [DONE, "done|EACCES", "ENOENT"]),
    ("socket of one's own in the file system", [DONE; 3]),
    ("mount", ["EPERM"; 3]),
    ("unmount", ["EPERM"; 3]),
    ("new mount interface", ["EPERM"; 3]),
    ("change the root", ["EPERM"; 3]),
    ("new user namespace", ["EPERM"; 3]),
    ("clone into a user namespace", ["EPERM"; 3]),
    ("clone into a network namespace", ["EPERM"; 3]),
    ("clone3", ["ENOSYS"; 3]),
    ("enter a namespace", ["EPERM"; 3]),
    ("bpf", ["EPERM"; 3]),
    ("kernel's keys", ["EPERM"; 3]),
    ("add a key", ["EPERM"; 3]),
    ("io_uring", ["EPERM"; 3]),
    ("userfaultfd", ["EPERM"; 3]),
    ("performance counters", ["EPERM"; 3]),
    ("open by handle", ["EPERM"; 3]),
    ("load a module", ["EPERM"; 3]),
    ("new kernel", ["EPERM"; 3]),
    ("file without a name in memory", ["ENOSYS"; 3]),
    ("memory that outlives a process", ["ENOSYS", "ENOSYS", DONE]),
    ("executable data", ["EPERM"; 3]),
    ("a number that no kernel has", ["ENOSYS"; 3]),
    ("a number of x32", ["ENOSYS"; 3]),
    ("put text into a terminal", ["EPERM"; 3]),
    ("turn core files on", ["EPERM"; 3]),
    ("become root", ["EPERM", "EPERM", "EINVAL"]),
];

/// What differs for a program that may reach the proxy.
const WITH_PROXY: &[(&str, [&str; 3])] = &[
    ("connect to a service of this host", [DONE, "EACCES", "ECONNREFUSED"]),
    ("connect to it as IPv6", [DONE, "EACCES", "ECONNREFUSED"]),
    ("connect to the proxy", [DONE; 3]),
    ("listen on a port that is free", [DONE; 3]),
    ("listen on a port of choice", [DONE, "EACCES", DONE]),
];

/// All attempts, with how each ended.
fn attempt(level: Level, with_proxy: bool) -> BTreeMap<String, String> {
    let mut program = Program::new(level, &["python3", "-I", "attempts.py"]);
    std::fs::write(program.workspace().join("attempts.py"), include_str!("attempts.py")).expect("the workspace");
    open_to_all(&program.workspace().join("attempts.py"));
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(outside.path(), Permissions::from_mode(0o777)).expect("own");
    let [public, private] = [("public", 0o644), ("private", 0o600)].map(|(name, mode)| {
        let path = outside.path().join(name);
        std::fs::write(&path, "x").expect("a file");
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect("own");
        path
    });
    let read_only = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(read_only.path(), Permissions::from_mode(0o777)).expect("own");
    program.spec.read_only.push(read_only.path().to_owned());
    let listener = || TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = |listener: &TcpListener| listener.local_addr().expect("an address").port();
    let (service, proxy) = (listener(), listener());
    let free = port(&listener());
    let name = format!("outside-{}-{}", std::process::id(), program.uid);
    let _socket = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).expect("a name")).expect("a socket");
    let path = outside.path().join("socket");
    let _public = UnixListener::bind(&path).expect("a socket");
    std::fs::set_permissions(&path, Permissions::from_mode(0o777)).expect("own");
    // It ends with this process, whatever becomes of the test: then its input does.
    let mut neighbour = Command::new("cat").uid(program.uid).gid(program.uid).stdin(Stdio::piped()).spawn().expect("cat");
    let about = json!({
        "outside": outside.path(), "public": public, "private": private, "toolchain": program.tools(), "read_only": read_only.path(), "parent": std::process::id(),
        "neighbour": neighbour.id(), "service": port(&service), "proxy": port(&proxy), "free": free, "abstract": name, "socket": path,
    });
    program.spec.env.insert("ABOUT".to_owned(), about.to_string());
    let (output, report) = if with_proxy { program.run_with_proxy(proxy, drop) } else { program.run() };
    assert!(output.status.success(), "{report:?} {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    // At L1 it is that of the host.
    let _ = std::fs::remove_file(format!("/dev/shm/written-by-{}", program.uid));
    neighbour.kill().and_then(|()| neighbour.wait()).expect("it ends");
    assert_eq!(outside.path().join("written").exists(), level == Level::L1, "{level}");
    serde_json::from_str(&text).expect("JSON")
}

/// The place of a level in the table.
fn column(level: Level) -> usize {
    LEVELS.iter().position(|one| *one == level).expect("a level of the table")
}

fn compare(level: Level, with_proxy: bool) {
    let found = attempt(level, with_proxy);
    assert_eq!(found.len(), OUTCOMES.len(), "each attempt has its row: {:?}", found.keys());
    let differs = |(name, outcomes): &&(&str, [&str; 3])| {
        found.get(*name).is_none_or(|outcome| !outcomes[column(level)].split('|').any(|one| one == outcome))
    };
    let with_network = |name: &str| WITH_PROXY.iter().filter(|_| with_proxy).find(|(other, _)| *other == name);
    let rows = OUTCOMES.iter().map(|row| with_network(row.0).unwrap_or(row));
    let other: Vec<_> = rows.filter(differs).map(|(name, outcomes)| (name, found.get(*name), outcomes[column(level)])).collect();
    assert!(other.is_empty(), "{level}, proxy: {with_proxy}; found, expected: {other:#?}");
}

#[test]
fn at_l1_a_program_has_its_user_and_no_network() {
    compare(Level::L1, false);
}

#[test]
fn at_l2_a_program_has_its_folders_and_no_network() {
    compare(Level::L2, false);
}

#[test]
fn at_l3_a_program_has_its_own_host_and_no_network() {
    compare(Level::L3, false);
}

#[test]
fn a_program_with_a_network_reaches_the_proxy_by_tcp() {
    for level in LEVELS {
        compare(level, true);
    }
}

#[test]
fn a_setuid_program_gains_nothing() {
    for level in LEVELS {
        let program = Program::new(level, &["id", "-u"]);
        let id = program.tools().join("id");
        install("/usr/bin/id".as_ref(), &id, "4755");
        let text = |output: std::process::Output| String::from_utf8(output.stdout).expect("text");
        let bare = text(Command::new(&id).arg("-u").uid(program.uid).gid(program.uid).output().expect("it runs"));
        assert_eq!(bare.trim(), "0", "the file system refuses setuid programs, so that this test sees nothing");
        let mut confined = program;
        confined.spec.argv[0] = id.to_str().expect("text").to_owned();
        assert_eq!(confined.stdout().trim(), confined.uid.to_string(), "{level}");
    }
}

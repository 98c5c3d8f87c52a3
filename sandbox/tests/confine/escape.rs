//! What a hostile program tries. The table is the promise of each level, and `docs/confinement.md` its short form.
#![expect(clippy::disallowed_methods, reason = "starts a neighbour that is not confined")]

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nofx_sandbox::launch::Tcp;
use nofx_shared::drivers::Level;
use serde_json::json;

use crate::program::{LEVELS, Program, install, open_to_all};

/// Where clouds describe a machine, and ECS a task, with the keys of their roles.
const METADATA: [Ipv4Addr; 2] = [Ipv4Addr::new(169, 254, 169, 254), Ipv4Addr::new(169, 254, 170, 2)];

/// By network of a program and by attempt: its outcome (`|`: one of them, as the host is) at L1, L2 and L3. With `proxy` and `all` there is
/// what differs from `none`. A step that attempts the same is held to the same table, in `tests/services/escape`.
fn outcomes(network: &str) -> BTreeMap<String, [String; 3]> {
    let mut all: BTreeMap<String, BTreeMap<String, [String; 3]>> = serde_json::from_str(include_str!("outcomes.json")).expect("the table");
    let mut outcomes = all.remove("none").expect("a section");
    if network != "none" {
        outcomes.extend(all.remove(network).expect("a section"));
    }
    outcomes
}

/// All attempts, with how each ended.
fn attempt(level: Level, network: &str) -> BTreeMap<String, String> {
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
    let metadata = METADATA.map(|address| {
        let listener = TcpListener::bind((address, 80)).expect("an address of this network");
        listener.set_nonblocking(true).expect("a setting");
        listener
    });
    let free = port(&listener());
    let name = format!("outside-{}-{}", std::process::id(), program.uid);
    let _socket = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).expect("a name")).expect("a socket");
    let path = outside.path().join("socket");
    let _public = UnixListener::bind(&path).expect("a socket");
    std::fs::set_permissions(&path, Permissions::from_mode(0o777)).expect("own");
    // It ends with this process, whatever becomes of the test: then its input does.
    let mut neighbour = Command::new("cat").uid(program.uid).gid(program.uid).stdin(Stdio::piped()).spawn().expect("cat");
    // The network of this thread is no network of the program's own.
    let mut outside_of_program = serde_json::to_value(&program.spec.outside).expect("JSON");
    outside_of_program["network"] = json!(std::fs::read_link("/proc/thread-self/ns/net").expect("a namespace"));
    program.spec.outside = serde_json::from_value(outside_of_program).expect("namespaces");
    let about = json!({
        "outside": outside.path(), "public": public, "private": private, "toolchain": program.tools(), "read_only": read_only.path(), "parent": std::process::id(),
        "neighbour": neighbour.id(), "service": port(&service), "proxy": port(&proxy), "free": free, "abstract": name, "socket": path,
    });
    program.spec.env.insert("ABOUT".to_owned(), about.to_string());
    let (output, report) = match network {
        "proxy" => program.run_with_proxy(proxy, drop),
        "all" => {
            program.spec.tcp = Tcp::Ports(vec![80]);
            program.run()
        }
        _ => program.run(),
    };
    assert!(output.status.success(), "{report:?} {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    for listener in metadata {
        assert!(listener.accept().is_ok() == (network == "all" || level == Level::L1 && network == "proxy"), "{level}, {network}");
    }
    // At L1 it is that of the host.
    let _ = std::fs::remove_file(format!("/dev/shm/written-by-{}", program.uid));
    neighbour.kill().and_then(|()| neighbour.wait()).expect("it ends");
    assert_eq!(outside.path().join("written").exists(), level == Level::L1, "{level}");
    serde_json::from_str(&text).expect("JSON")
}

/// Gives this thread, and what it starts, a network in which only the loopback is, with the address of metadata. That of the machine may be
/// the way to its true metadata, so nothing is changed there.
fn enter_own_network() {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("these tests run as root");
    let [machine, task] = METADATA.map(|address| format!("{address}/32"));
    for arguments in [&["link", "set", "lo", "up"][..], &["address", "add", &machine, "dev", "lo"], &["address", "add", &task, "dev", "lo"]]
    {
        assert!(Command::new("ip").args(arguments).status().expect("ip of iproute2").success(), "{arguments:?}");
    }
}

/// The place of a level in the table.
fn column(level: Level) -> usize {
    LEVELS.iter().position(|one| *one == level).expect("a level of the table")
}

fn compare(level: Level, network: &str) {
    let attempts = std::thread::scope(|scope| {
        let alone = scope.spawn(|| {
            enter_own_network();
            attempt(level, network)
        });
        alone.join()
    });
    let (expected, found) = (outcomes(network), attempts.expect("they end"));
    assert!(found.keys().eq(expected.keys()), "each attempt has its row: {:?}", found.keys());
    let differs = |(name, outcome): &(&String, &String)| !expected[*name][column(level)].split('|').any(|one| one == *outcome);
    let other: Vec<_> = found.iter().filter(differs).map(|(name, outcome)| (name, outcome, &expected[name][column(level)])).collect();
    assert!(other.is_empty(), "{level}, network {network}; found, expected: {other:#?}");
}

#[test]
fn a_program_without_a_network_has_its_user_then_its_folders_then_its_own_host() {
    for level in LEVELS {
        compare(level, "none");
    }
}

#[test]
fn a_program_with_a_network_reaches_the_proxy_by_tcp() {
    for level in LEVELS {
        compare(level, "proxy");
    }
}

/// Ports are kept, addresses are not: what the host routes is within reach, also the address where clouds hand out the host's own keys.
#[test]
fn a_program_with_the_whole_network_reaches_the_ports_of_the_rules_at_any_address() {
    for level in LEVELS {
        compare(level, "all");
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

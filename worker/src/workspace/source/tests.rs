use tokio_util::sync::CancellationToken;

use super::{Remote, Sources, https, ssh, variables};
use crate::drivers::Processes;
use crate::workspace::{Caller, Folder, Git};

fn caller() -> Caller {
    Caller::person(&Processes::own(), &CancellationToken::new())
}

fn sources(allowed: &std::path::Path, closed: &std::path::Path) -> Sources {
    Sources::new(vec![allowed.to_owned()], closed.to_owned())
}

#[tokio::test]
async fn a_path_is_below_a_folder_that_the_operator_named_and_of_no_other_run() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = |name: &str| {
        let folder = dir.path().join(name);
        std::fs::create_dir_all(&folder).expect("made");
        folder
    };
    let (allowed, closed, outside) = (folder("allowed"), folder("allowed/workspaces"), folder("outside"));
    let repository = folder("allowed/repository");
    folder("allowed/workspaces/run");
    folder("allowed-not");
    for (name, target) in [("out", &outside), ("neighbour", &closed)] {
        std::os::unix::fs::symlink(target, allowed.join(name)).expect("a link");
    }
    let sources = sources(&allowed, &closed);
    assert!(sources.route(&repository.to_string_lossy(), &caller()).await.is_ok());
    for bad in
        ["allowed/workspaces/run", "outside", "allowed/out", "allowed/neighbour/run", "allowed/../outside", "allowed-not", "allowed/none"]
    {
        let address = dir.path().join(bad).to_string_lossy().into_owned();
        let failure = sources.route(&address, &caller()).await.expect_err(bad);
        assert!(!failure.transient && failure.message.contains("NOFX_REPOSITORY_PATHS"), "{bad}: {}", failure.message);
    }
    let none = Sources::new(vec![], closed);
    assert!(none.route(&repository.to_string_lossy(), &caller()).await.is_err(), "none is allowed unless one is named");
}

#[tokio::test]
async fn no_private_address_is_reached_and_no_other_scheme() {
    let dir = tempfile::tempdir().expect("a folder");
    let sources = sources(dir.path(), &dir.path().join("closed"));
    for bad in [
        "https://127.0.0.1/a.git",
        "https://2130706433/a.git",
        "https://localhost:8443/a.git",
        "https://[::1]/a.git",
        "https://[::ffff:10.0.0.1]/a",
        "https://169.254.169.254/latest",
        "ssh://git@10.0.0.7:2222/a.git",
        "git@192.168.1.1:a.git",
        "localhost:a.git",
    ] {
        let failure = sources.route(bad, &caller()).await.expect_err(bad);
        assert!(!failure.transient && failure.message.contains("private address"), "{bad}: {}", failure.message);
    }
    for bad in
        ["http://host/a", "git://host/a", "file:///srv/a", "ext::sh -c x", "fd::7", "--upload-pack=x", "./a", "a", "https://a@host/x"]
    {
        let failure = sources.route(bad, &caller()).await.expect_err(bad);
        assert!(!failure.transient && failure.message.starts_with("workspace: git must"), "{bad}: {}", failure.message);
    }
    let allowed = Caller { networks: vec!["127.0.0.0/8".parse().expect("a network")], ..caller() };
    let route = sources.route("https://127.0.0.1:8443/a.git", &allowed).await.expect("an operator allowed it");
    assert!(route.contains(&("http.curloptResolve".to_owned(), "127.0.0.1:8443:127.0.0.1".to_owned())), "{route:?}");
    assert!(sources.route("ssh://10.0.0.1/a", &allowed).await.is_err());
}

#[test]
fn a_remote_has_a_host_and_a_port() {
    let of = |address: &str| Remote::of(address).map(|remote| (remote.is_https, remote.host, remote.port));
    assert_eq!(of("https://h.example/a/b:c@d"), Some((true, "h.example".to_owned(), 443)));
    assert_eq!(of("https://h.example:8443?x"), Some((true, "h.example".to_owned(), 8443)));
    assert_eq!(of("https://[2001:db8::1]:1/a"), Some((true, "2001:db8::1".to_owned(), 1)));
    assert_eq!(of("ssh://git@h:2222/a"), Some((false, "h".to_owned(), 2222)));
    assert_eq!(of("ssh://h/a"), Some((false, "h".to_owned(), 22)));
    assert_eq!(of("git@h.example:acme/web.git"), Some((false, "h.example".to_owned(), 22)));
    for none in ["https://h'x/a", "https://h:x/a", "ssh://$(x)/a", "https://[::1/a", "ssh://h:99999/a", "https://:1/a"] {
        assert_eq!(of(none), None, "{none}");
    }
}

#[test]
fn the_addresses_that_were_checked_are_those_that_are_called() {
    let addresses = ["192.0.2.1:443", "[2001:db8::1]:443"].map(|text| text.parse().expect("an address"));
    let route = https("h.example", 443, &addresses);
    for setting in [
        ("http.curloptResolve", "h.example:443:192.0.2.1,[2001:db8::1]"),
        ("http.followRedirects", "false"),
        ("http.proxy", ""),
        ("protocol.allow", "never"),
        ("protocol.https.allow", "always"),
    ] {
        assert!(route.iter().any(|(name, value)| (name.as_str(), value.as_str()) == setting), "{setting:?}: {route:?}");
    }
    let route = ssh("h.example", 2222, &addresses);
    let command = &route.iter().find(|(name, _)| name == "core.sshCommand").expect("a command").1;
    assert!(command.contains("HostName=192.0.2.1 ") && command.contains("'HostKeyAlias=[h.example]:2222'"), "{command}");
}

#[tokio::test]
async fn git_takes_no_other_protocol_than_that_of_the_repository() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = Folder::new(&Processes::own(), dir.path().to_owned()).expect("it is there");
    let mut git = Git::new(caller(), &folder);
    git.run(&["init", "--quiet"]).await.expect("a repository");
    git.env.extend(variables(https("h.example", 443, &[])));
    for other in [dir.path().to_string_lossy().into_owned(), "ext::true".to_owned(), "http://127.0.0.1:1/a".to_owned()] {
        let failure = git.run(&["ls-remote", "--", &other]).await.expect_err("it is refused");
        assert!(failure.message.contains("not allowed"), "{other}: {}", failure.message);
    }
}

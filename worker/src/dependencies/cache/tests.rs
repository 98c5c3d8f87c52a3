use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nofx_sandbox::Files;
use sha2::Digest as _;
use tempfile::TempDir;
use uuid::Uuid;

use super::{Counters, Dependencies, Given};
use crate::dependencies::wheel::tests::wheel;
use crate::dependencies::{Digest, Locked, Tool};

fn crate_of(content: &str) -> Locked {
    let digest = Digest::sha256(&hex::encode(sha2::Sha256::digest(content))).expect("a digest");
    Locked { tool: Tool::Cargo, name: "a".to_owned(), version: "1.0.0".to_owned(), digest }
}

fn package_of(content: &str) -> Locked {
    let digest = Digest::sha512(&hex::encode(sha2::Sha512::digest(content))).expect("a digest");
    Locked { tool: Tool::Npm, name: "@a/b".to_owned(), version: "1.0.0".to_owned(), digest }
}

const CRATE: &str = ".cargo/registry/cache/r.example-0123456789abcdef/a-1.0.0.crate";

fn package_path(content: &str) -> String {
    let hex = hex::encode(sha2::Sha512::digest(content));
    format!(".npm/_cacache/content-v2/sha512/{}/{}/{}", &hex[..2], &hex[2..4], &hex[4..])
}

struct Homes {
    root: TempDir,
    cache: Dependencies,
}

impl Homes {
    fn new() -> Self {
        let root = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir().expect("a folder");
        let store = root.path().join("store");
        std::fs::create_dir(&store).expect("a folder");
        std::fs::set_permissions(&store, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("closed");
        let cache = Dependencies::new(&store, 1 << 20, |_| vec![], Counters::default());
        assert!(cache.if_on().is_some());
        Self { root, cache }
    }

    /// A process with a home of its own: what it is given, and what it leaves there.
    fn process(&self, tenant: Uuid, wanted: &[Locked], leave: impl FnOnce(&Path)) -> (PathBuf, Given) {
        let home = self.root.path().join(Uuid::now_v7().to_string());
        std::fs::create_dir(&home).expect("a folder");
        let files = Files::own(&home).expect("open");
        let given = self.cache.give(tenant, wanted.to_vec(), &files);
        leave(&home);
        self.cache.take(&given, &files);
        (home, given)
    }
}

fn leave(home: &Path, name: &str, content: &str) {
    let file = home.join(name);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
    std::fs::write(file, content).expect("written");
}

#[test]
fn what_one_run_downloaded_another_one_of_the_tenant_finds_in_its_home() {
    let homes = Homes::new();
    let (one, other) = (Uuid::nil(), Uuid::max());
    let wanted = [crate_of("crate"), package_of("package")];
    let (_, given) = homes.process(one, &wanted, |home| {
        leave(home, CRATE, "crate");
        leave(home, &package_path("package"), "package");
    });
    assert_eq!(given.missing.len(), 2, "there was nothing");
    let (home, given) = homes.process(one, &wanted, |_| {});
    assert_eq!(given.missing, []);
    let read = |name: &str| std::fs::read_to_string(home.join(name)).ok();
    assert_eq!((read(CRATE).as_deref(), read(&package_path("package")).as_deref()), (Some("crate"), Some("package")));
    let (home, given) = homes.process(other, &wanted, |_| {});
    assert_eq!((given.missing.len(), std::fs::read_dir(home).expect("its home").count()), (2, 0), "another tenant has nothing of it");
}

#[test]
fn what_a_step_plants_reaches_no_other_run() {
    let homes = Homes::new();
    let (tenant, wanted) = (Uuid::nil(), [crate_of("crate"), package_of("package")]);
    let secret = homes.root.path().join("secret");
    std::fs::write(&secret, "crate").expect("written");
    let plants: [&dyn Fn(&Path); 6] = [
        &|home| leave(home, CRATE, "evil"),
        &|home| leave(home, &package_path("package"), "evil"),
        &|home| {
            leave(home, CRATE, "");
            std::fs::remove_file(home.join(CRATE)).expect("removed");
            symlink(&secret, home.join(CRATE)).expect("a link out of its home");
        },
        &|home| {
            leave(home, CRATE, "");
            std::fs::remove_file(home.join(CRATE)).expect("removed");
            nix::unistd::mkfifo(&home.join(CRATE), nix::sys::stat::Mode::S_IRWXU).expect("a fifo, which is not waited for");
        },
        &|home| leave(home, ".cargo/registry/cache/../../../a-1.0.0.crate", "crate"),
        &|home| std::fs::write(home.join(".cargo"), "a file").expect("written"),
    ];
    for plant in plants {
        homes.process(tenant, &wanted, plant);
        let (home, given) = homes.process(tenant, &wanted, |_| {});
        assert_eq!((given.missing.len(), std::fs::read_dir(home).expect("its home").count()), (2, 0));
    }
    // The digest decides, so a lock file that names what was planted brings it to whoever has that lock file, and to nobody else.
    homes.process(tenant, &[crate_of("evil")], |home| leave(home, CRATE, "evil"));
    let (home, _) = homes.process(tenant, &wanted, |_| {});
    assert_eq!(std::fs::read_dir(home).expect("its home").count(), 0);
}

#[test]
fn names_in_a_lock_file_lead_nowhere() {
    let homes = Homes::new();
    for name in ["../../x", "/etc/x", "a/b", "", ".", "a\0b"] {
        let mut wanted = crate_of("crate");
        wanted.name = name.to_owned();
        let (home, given) = homes.process(Uuid::nil(), &[wanted], |home| leave(home, CRATE, "crate"));
        assert_eq!(given.missing.len(), 1, "{name:?}");
        assert_eq!(std::fs::read_dir(home).expect("its home").count(), 1, "{name:?}");
    }
}

#[test]
fn what_is_installed_already_is_not_given() {
    let homes = Homes::new();
    let cache = Dependencies { read_locks: |_| vec![crate_of("crate"), package_of("package")], ..homes.cache.clone() };
    let folder = Files::own(homes.root.path()).expect("open");
    let none = BTreeMap::new();
    assert_eq!(cache.wanted(&folder, &none).map(|wanted| wanted.len()), Some(2));
    leave(homes.root.path(), "node_modules/.package-lock.json", "{}");
    assert_eq!(cache.wanted(&folder, &none), Some(vec![crate_of("crate")]));
    assert_eq!(cache.wanted(&folder, &BTreeMap::from([("CARGO_HOME".to_owned(), "/x".to_owned())])), None);
}

#[test]
fn a_folder_that_others_can_enter_is_no_cache() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("open");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("open");
    for (folder, max) in [(folder.as_path(), 1), (&root.path().join("none"), 1), (root.path(), 0)] {
        assert!(Dependencies::new(folder, max, |_| vec![], Counters::default()).if_on().is_none());
    }
}

fn wheel_of(content: &[u8]) -> Locked {
    let digest = Digest::sha256(&hex::encode(sha2::Sha256::digest(content))).expect("a digest");
    Locked { tool: Tool::Pip, name: "own-lib".to_owned(), version: "1.0".to_owned(), digest }
}

/// Where pip of today has the body of an answer, and where it had the whole answer.
const BODY: &str = ".cache/pip/http-v2/d/f/6/f/7/df6f7.body";
const ANSWER: &str = ".cache/pip/http/d/f/6/f/7/df6f7";
const WHEEL: &str = ".cache/nofx/pip/own_lib-1.0-999999999nofx-py3-none-any.whl";

fn leave_bytes(home: &Path, name: &str, content: &[u8]) {
    leave(home, name, "");
    std::fs::write(home.join(name), content).expect("written");
}

#[test]
fn wheels_that_pip_downloaded_are_links_for_the_next_one() {
    let content = wheel("Tag: py3-none-any\n");
    let length = u16::try_from(content.len()).expect("small").to_be_bytes();
    let answer = [b"cc=4,\x82\xa8response\x86\xa4body\xc5".as_slice(), &length, &content, b"\xa7headers\x80"].concat();
    for (path, bytes) in [(BODY, &content), (ANSWER, &answer)] {
        let homes = Homes::new();
        // Another file of the same version, which this platform does not need.
        let wanted = [wheel_of(&content), wheel_of(b"of another platform")];
        let (_, given) = homes.process(Uuid::nil(), &wanted, |home| leave_bytes(home, path, bytes));
        assert_eq!(given.missing.len(), 2, "there was nothing");
        let (home, given) = homes.process(Uuid::nil(), &wanted, |_| {});
        assert_eq!(given.missing, [wanted[1].clone()], "{path}");
        assert_eq!(std::fs::read(home.join(WHEEL)).expect("the wheel"), content);
        let read = |name: &str| std::fs::read_to_string(home.join(name)).expect(name);
        let link = format!("own_lib-1.0-999999999nofx-py3-none-any.whl#sha256={}\"", wanted[0].digest.hex());
        assert!(read(".cache/nofx/pip/index.html").contains(&link) && read(".pip/pip.conf").contains("~/.cache/nofx/pip/index.html"));
        let (home, _) = homes.process(Uuid::max(), &wanted, |_| {});
        assert_eq!(std::fs::read_dir(home).expect("its home").count(), 0, "another tenant has nothing of it, and no settings");
    }
}

#[test]
fn of_two_builds_for_one_platform_one_is_given() {
    let homes = Homes::new();
    let [one, other] = ["Build: 1\nTag: py3-none-any\n", "Build: 2\nTag: py3-none-any\n"].map(wheel);
    let wanted = [wheel_of(&one), wheel_of(&other)];
    homes.process(Uuid::nil(), &wanted, |home| {
        leave_bytes(home, BODY, &one);
        leave_bytes(home, ".cache/pip/http-v2/d/f/6/f/7/other.body", &other);
    });
    let (home, given) = homes.process(Uuid::nil(), &wanted, |_| {});
    assert_eq!((given.missing.len(), std::fs::read(home.join(WHEEL)).expect("a wheel")), (1, one), "the page names it and no other");
    let page = std::fs::read_to_string(home.join(".cache/nofx/pip/index.html")).expect("a page");
    assert_eq!(page.matches("<a ").count(), 1, "{page}");
}

#[test]
fn what_a_step_plants_in_pips_cache_reaches_no_other_run() {
    let (homes, content) = (Homes::new(), wheel("Tag: py3-none-any\n"));
    let (wanted, evil) = ([wheel_of(&content)], wheel("Tag: py2-none-any\n"));
    let secret = homes.root.path().join("secret");
    std::fs::write(&secret, &content).expect("written");
    let plants: [&dyn Fn(&Path); 5] = [
        &|home| leave_bytes(home, BODY, &evil),
        &|home| leave_bytes(home, ".cache/pip/http-v2/deep.body", &content),
        &|home| leave_bytes(home, ANSWER, b"cc=4,\x82\xa8response\x86\xa4body\xc6\xff\xff\xff\xffPK\x03\x04"),
        &|home| leave_bytes(home, WHEEL, &content),
        &|home| {
            leave(home, BODY, "");
            std::fs::remove_file(home.join(BODY)).expect("removed");
            symlink(&secret, home.join(BODY)).expect("a link out of its home");
        },
    ];
    for plant in plants {
        homes.process(Uuid::nil(), &wanted, plant);
        let (home, given) = homes.process(Uuid::nil(), &wanted, |_| {});
        assert_eq!((given.missing.len(), std::fs::read_dir(home).expect("its home").count()), (1, 0));
    }
    // One that its lock file names, but whose name leads elsewhere.
    let outside = [Locked { name: "../../own".to_owned(), ..wheel_of(&content) }];
    homes.process(Uuid::nil(), &outside, |home| leave_bytes(home, BODY, &content));
    let (home, given) = homes.process(Uuid::nil(), &outside, |_| {});
    assert_eq!((given.missing.len(), std::fs::read_dir(home).expect("its home").count()), (1, 0));
}

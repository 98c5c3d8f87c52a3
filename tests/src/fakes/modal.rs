//! Modal: a server of its SDK's wire (`modal.py`), which the SDK itself speaks to. Programs really run, each sandbox in a view of its own.

use std::fs::Permissions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde_json::Value;
use tempfile::TempDir;

use crate::stack::{root, target};

pub struct Modal {
    url: String,
    sdk: Sdk,
    server: Mutex<Server>,
}

struct Server {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Modal {
    pub fn start() -> Self {
        let mut process = Command::new(target().join("python/bin/python"))
            .arg("-u")
            .arg(root().join("tests/src/fakes/modal.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let input = process.stdin.take().expect("its input");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let mut server = Server { process, input, output };
        let url = server.line()["url"].as_str().expect("a URL").to_owned();
        Self { url, sdk: Sdk::copy(), server: Mutex::new(server) }
    }

    /// The settings of a worker that makes sandboxes here.
    pub fn settings(&self) -> Vec<(String, String)> {
        let settings = [
            ("NOFX_MODAL_PYTHON", self.sdk.python()),
            ("MODAL_SERVER_URL", self.url.clone()),
            ("MODAL_TOKEN_ID", "ak-modal".to_owned()),
            ("MODAL_TOKEN_SECRET", "as-modal".to_owned()),
        ];
        settings.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// A fault that happens once: see `modal.py`.
    pub fn will(&self, fault: &str) {
        let mut server = self.server.lock().expect("not poisoned");
        writeln!(server.input, "{fault}").expect("it reads");
    }

    /// A sandbox that no worker of the tests asked for: as the first one, with these tags.
    pub fn make_of_others(&self, tags: &Value) {
        let mut server = self.server.lock().expect("not poisoned");
        writeln!(server.input, "{tags}").expect("it reads");
    }

    /// Sandboxes that are there.
    pub fn alive(&self) -> usize {
        self.state()["alive"].as_array().expect("a list").len()
    }

    /// What was asked for, of each sandbox that was made.
    pub fn created(&self) -> Vec<Value> {
        self.state()["created"].as_array().expect("a list").clone()
    }

    /// The images that were asked for.
    pub fn images(&self) -> Vec<Value> {
        self.state()["images"].as_array().expect("a list").clone()
    }

    fn state(&self) -> Value {
        let mut server = self.server.lock().expect("not poisoned");
        writeln!(server.input, "state").expect("it reads");
        server.line()
    }
}

/// The SDK where the user of a worker finds it: that of the tests may be in a home which only its owner enters.
struct Sdk(TempDir);

/// What the SDK imports.
const PACKAGES: [&str; 30] = [
    "aiohappyeyeballs",
    "aiohttp",
    "aiosignal",
    "anyio",
    "attr",
    "attrs",
    "cbor2",
    "certifi",
    "click",
    "frozenlist",
    "google",
    "grpclib",
    "h2",
    "hpack",
    "hyperframe",
    "idna",
    "markdown_it",
    "mdurl",
    "modal",
    "modal_proto",
    "modal_version",
    "multidict",
    "propcache",
    "pygments",
    "rich",
    "synchronicity",
    "toml",
    "typing_extensions.py",
    "watchfiles",
    "yarl",
];

impl Sdk {
    fn copy() -> Self {
        let folder = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().expect("a folder");
        let lib = std::fs::read_dir(target().join("python/lib")).expect("a folder").next().expect("a version").expect("a folder");
        let site = folder.path().join("site");
        std::fs::create_dir(&site).expect("a folder");
        let mut copy = Command::new("cp");
        // With the times of its files: without them Python takes no module as it was compiled, and compiles all of them for each start.
        copy.arg("--archive").args(PACKAGES.map(|package| lib.path().join("site-packages").join(package))).arg(&site);
        assert!(copy.status().expect("cp runs").success(), "the SDK was not copied");
        // The arguments are `-I -u -c PROGRAM`.
        let script = format!("#!/bin/sh\nPYTHONPATH={} exec /usr/bin/python3 -u -c \"$4\"\n", site.display());
        let python = folder.path().join("python");
        std::fs::write(&python, script).expect("written");
        std::fs::set_permissions(&python, Permissions::from_mode(0o755)).expect("it may be run");
        Self(folder)
    }

    fn python(&self) -> String {
        self.0.path().join("python").display().to_string()
    }
}

impl Server {
    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its sandboxes end with it.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

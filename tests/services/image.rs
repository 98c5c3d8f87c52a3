//! A worker in the file system of its image, which scripts/image-root.sh unpacks: the tools of the gates are those of the image. The short form
//! has no image, but a root of its own with the programs of this machine.
#![expect(clippy::disallowed_methods, reason = "starts a worker in another root")]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nofx_tests::fakes::models::Providers;
use nofx_tests::own::Own;
use nofx_tests::people::{status, step};
use nofx_tests::stack::{binary, root};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::from_the_prototype::{SMOKE, project};

/// Mounts what the worker needs, in a view of its own, and becomes the worker. Arguments: the root, the program, what of this machine the root
/// is made of, then other folders of this machine.
const ENTER: &str = r#"root="$1" program="$2" parts="$3"; shift 3
for part in $parts; do
  if [ -L "/$part" ]; then ln -s "$(readlink "/$part")" "$root/$part"; else mkdir "$root/$part"; mount --rbind "/$part" "$root/$part"; fi
done
mkdir -p "$root/proc" "$root/dev" "$root/tmp" "$root/run"
mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"; mount -t tmpfs -o mode=755 tmpfs "$root/run"
touch "$root/run/worker"; mount --bind "$program" "$root/run/worker"
for folder; do mkdir -p "$root$folder"; mount --bind "$folder" "$root$folder"; done
exec chroot "$root" /run/worker worker"#;

/// The root of a worker.
struct Image {
    root: PathBuf,
    /// Folders of this machine that it is made of, separated by spaces; none in an image.
    parts: String,
    /// Removed with this.
    _made: Option<TempDir>,
}

impl Image {
    /// `NOFX_TEST_IMAGE` is a folder that was made before; with `NOFX_TEST_LONG` one is made, which takes minutes.
    fn open() -> Self {
        if let Some(given) = std::env::var_os("NOFX_TEST_IMAGE") {
            return Self { root: given.into(), parts: String::new(), _made: None };
        }
        let folder = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().expect("a folder");
        let new = folder.path().join("root");
        if std::env::var_os("NOFX_TEST_LONG").is_some() {
            let made = Command::new(root().join("scripts/image-root.sh")).arg(&new).arg("node").status().expect("it starts");
            assert!(made.success(), "scripts/image-root.sh made no image: it needs debootstrap and root");
            return Self { root: new, parts: String::new(), _made: Some(folder) };
        }
        std::fs::create_dir(&new).expect("a folder");
        let parts = ["usr", "etc", "bin", "sbin", "lib", "lib32", "lib64"].into_iter().filter(|part| Path::new("/").join(part).exists());
        Self { parts: parts.collect::<Vec<_>>().join(" "), root: new, _made: Some(folder) }
    }

    fn release(&self) -> String {
        let of = if self.parts.is_empty() { self.root.as_path() } else { Path::new("/") };
        std::fs::read_to_string(of.join("etc/os-release")).expect("a release")
    }
}

/// A worker that is killed with this.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.0.id().cast_signed());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        drop(self.0.wait());
    }
}

impl Worker {
    fn start(image: &Image, own: &Own, folders: &[&Path], settings: &[(&str, &str)]) -> Self {
        let dev = own.dev();
        let names = [
            ("SUPABASE_URL", "supabase_url"),
            ("NOFX_REST_URL", "rest_url"),
            ("NOFX_DB_URL", "db_url"),
            ("SUPABASE_ANON_KEY", "anon_key"),
            ("SUPABASE_SERVICE_ROLE_KEY", "service_role_key"),
            ("NOFX_SIGNING_KEY", "signing_key"),
            ("NOFX_ENCRYPTION_KEYS", "encryption_keys"),
        ];
        let readable = folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(":");
        let log = std::fs::File::create(own.dir.join("image.log")).expect("a log");
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--propagation", "private", "bash", "-euc", ENTER, "image"])
            .arg(&image.root)
            .arg(binary())
            .arg(&image.parts)
            .args(folders);
        command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.envs(names.map(|(name, key)| (name, dev[key].as_str().unwrap_or_default().to_owned())));
        // Its users are its own: it does not see which ones others of this machine have.
        command.envs([("NOFX_WORKSPACES", "/tmp/workspaces"), ("NOFX_STEP_USERS", "60000-60999"), ("NOFX_WORKER_NAME", "image")]);
        command.env("NOFX_TOOLCHAINS", &readable).env("NOFX_REPOSITORY_PATHS", readable).envs(settings.iter().copied());
        Self(command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log).spawn().expect("it starts"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_smoke_test_passes_in_the_file_system_of_an_image() {
    let image = Image::open();
    let (providers, project) = (Providers::start().await, project());
    let openai = format!("{}/openai", providers.url);
    let settings = [("OPENAI_BASE_URL", openai.as_str()), ("OPENAI_API_KEY", "key-of-openai"), ("LLM_ORDER", "openai")];
    let own = Own::start_with(&Own::folder("image"), &["--workers", "0"], &settings);
    let modules = root().join("node_modules");
    let folders = [project.dir.as_path(), modules.as_path()];
    let _worker = Worker::start(&image, &own, &folders, &settings);

    providers.answers("# Welcome\n\n- Control plane\n- Verification\n- Workers");
    let mut body: Value = serde_json::from_str(SMOKE).expect("JSON");
    body["plan"]["workspace"] = json!({"git": project.dir, "ref": "main"});
    // What of this machine is in no image.
    let script = format!("node --version; test ! -e {}; cat /etc/os-release; command -v nofx || true", root().join("Cargo.toml").display());
    let tools = json!({"name": "tools", "tool": "bash", "inputs": {"script": script}});
    body["plan"]["steps"].as_array_mut().expect("steps").push(tools);
    let created = own.call(Method::POST, "/api/runs", Some(&body)).await.expect("a run");
    let id = created["id"].as_str().expect("an id");
    let is_finished = |run: &Value| matches!(run["status"].as_str(), Some("succeeded" | "failed" | "cancelled"));
    let run = own.wait(id, is_finished).await;
    for name in ["typecheck", "lint", "unit", "generate readme"] {
        assert_eq!(status(&run, name), "succeeded", "{name}: {run}");
        assert!(name == "generate readme" || step(&run, name)["attempts"][0]["isolation"]["level"] == "L2", "{name}: {run}");
    }
    let tools = step(&run, "tools")["outputs"]["stdout"].as_str().expect("text");
    assert!(tools.starts_with('v') && tools.ends_with(&image.release()), "it ran in the image: {tools}");
}

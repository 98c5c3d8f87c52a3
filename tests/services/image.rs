//! A worker in the file system of its image, which scripts/image-root.sh unpacked: the tools of the gates are those of the image.
#![expect(clippy::disallowed_methods, reason = "starts a worker in another root")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nofx_tests::fakes::models::Providers;
use nofx_tests::own::Own;
use nofx_tests::people::{status, step};
use nofx_tests::stack::{binary, root};
use reqwest::Method;
use serde_json::{Value, json};

use crate::from_the_prototype::{SMOKE, project};

/// Mounts what the worker needs, in a view of its own, and becomes the worker. Arguments: the root, the program, then folders of this machine.
const ENTER: &str = r#"root="$1" program="$2"; shift 2
mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"; mount -t tmpfs -o mode=755 tmpfs "$root/run"
touch "$root/run/worker"; mount --bind "$program" "$root/run/worker"
for folder; do mkdir -p "$root$folder"; mount --bind "$folder" "$root$folder"; done
exec chroot "$root" /run/worker worker"#;

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
    fn start(image: &Path, own: &Own, folders: &[&Path], settings: &[(&str, &str)]) -> Self {
        let dev = own.dev();
        let names = [
            ("SUPABASE_URL", "supabase_url"),
            ("NOFX_REST_URL", "rest_url"),
            ("NOFX_DB_URL", "db_url"),
            ("SUPABASE_ANON_KEY", "anon_key"),
            ("SUPABASE_SERVICE_ROLE_KEY", "service_role_key"),
            ("SUPABASE_JWT_SECRET", "jwt_secret"),
            ("NOFX_SIGNING_KEY", "signing_key"),
            ("NOFX_ENCRYPTION_KEYS", "encryption_keys"),
        ];
        let readable = folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(":");
        let log = std::fs::File::create(own.dir.join("image.log")).expect("a log");
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "bash", "-euc", ENTER, "image"]).arg(image).arg(binary()).args(folders);
        command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.envs(names.map(|(name, key)| (name, dev[key].as_str().unwrap_or_default().to_owned())));
        // Its users are its own: it does not see which ones others of this machine have.
        command.envs([("NOFX_WORKSPACES", "/tmp/workspaces"), ("NOFX_STEP_USERS", "60000-60999"), ("NOFX_WORKER_NAME", "image")]);
        command.env("NOFX_TOOLCHAINS", readable).envs(settings.iter().copied());
        Self(command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log).spawn().expect("it starts"))
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs NOFX_TEST_IMAGE, which scripts/image-root.sh takes minutes to make"]
async fn the_smoke_test_passes_in_the_file_system_of_an_image() {
    let image = PathBuf::from(std::env::var_os("NOFX_TEST_IMAGE").expect("NOFX_TEST_IMAGE: see scripts/image-root.sh"));
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
    let tools =
        json!({"name": "tools", "tool": "bash", "inputs": {"script": "node --version; cat /etc/os-release; command -v nofx || true"}});
    body["plan"]["steps"].as_array_mut().expect("steps").push(tools);
    let created = own.call(Method::POST, "/api/runs", Some(&body)).await.expect("a run");
    let id = created["id"].as_str().expect("an id");
    let is_finished = |run: &Value| matches!(run["status"].as_str(), Some("succeeded" | "failed" | "cancelled"));
    let run = own.wait(id, Duration::from_secs(120), is_finished).await;
    for name in ["typecheck", "lint", "unit", "generate readme"] {
        assert_eq!(status(&run, name), "succeeded", "{name}: {run}");
        assert!(name == "generate readme" || step(&run, name)["attempts"][0]["isolation"]["level"] == "L2", "{name}: {run}");
    }
    let tools = step(&run, "tools")["outputs"]["stdout"].as_str().expect("text");
    let release = std::fs::read_to_string(image.join("etc/os-release")).expect("a release");
    assert!(tools.starts_with('v') && tools.ends_with(&release), "it ran in the image: {tools}");
}

//! Writes `dev.json`, by which commands and tests find this stack, and reads what a killed one left. Its form is `DevFile` of `target`.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nofx_local::auth;

use super::running::Running;
use super::worker::Worker;
use crate::exit::Error;
use crate::target::{self, DevFile, Pids};

pub(super) fn write(dev: &Running, workers: &[Worker]) -> Result<(), Error> {
    let stack = &dev.stack;
    let tokens: BTreeMap<String, String> = stack
        .people()
        .iter()
        .map(|person| {
            let valid_s = 365 * 86_400;
            let token = auth::access_token(stack.jwt_secret(), person.id, &person.email, stack.tenant_id(), &person.role, valid_s);
            (person.role.clone(), token)
        })
        .collect();
    let file = DevFile {
        api_url: format!("http://127.0.0.1:{}", dev.port),
        supabase_url: stack.supabase_url(),
        rest_url: stack.rest_url(),
        db_url: stack.db_url().to_owned(),
        jwt_secret: stack.jwt_secret().to_owned(),
        anon_key: stack.anon_key(),
        service_role_key: stack.service_role_key(),
        internal_api_key: stack.internal_api_key().to_owned(),
        function_key: stack.function_key().to_owned(),
        signing_key: stack.artifact_key().to_owned(),
        encryption_keys: stack.encryption_keys().to_owned(),
        metrics_url: workers.first().map(|worker| format!("http://127.0.0.1:{}/metrics", worker.admin_port)).unwrap_or_default(),
        tokens,
        people: stack.people().to_vec(),
        queue: dev.queue.env().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        pids: pids(dev, workers),
    };
    stack.remember_pids().map_err(Error::new)?;
    // A rename, so that no one reads half a file; and only its owner may read it.
    let (path, half) = (dev.data_dir.join("dev.json"), dev.data_dir.join("dev.json.half"));
    let text = serde_json::to_vec_pretty(&file).map_err(Error::new)?;
    write_private(&half, &text).and_then(|()| std::fs::rename(&half, &path)).map_err(Error::new)
}

pub(super) fn pids(dev: &Running, workers: &[Worker]) -> Pids {
    let (postgres, postgrest) = dev.stack.pids();
    Pids {
        postgres,
        postgrest,
        queue: dev.queue.pid(),
        api: std::process::id(),
        workers: workers.iter().map(|worker| *worker.pid.borrow()).collect(),
    }
}

/// Workers of a `nofx dev` that was killed.
pub(super) fn left_behind(data_dir: &Path) -> Vec<i32> {
    target::read(&data_dir.join("dev.json")).map(|dev| dev.pids.workers).unwrap_or_default()
}

pub(super) fn remove(data_dir: &Path) {
    drop(std::fs::remove_file(data_dir.join("dev.json")));
}

fn write_private(path: &Path, text: &[u8]) -> std::io::Result<()> {
    std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(text)
}

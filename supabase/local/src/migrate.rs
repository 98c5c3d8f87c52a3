//! Applies the schema with the real Supabase CLI, so that the same schema runs here and in the cloud.
#![expect(clippy::disallowed_methods, reason = "runs the Supabase CLI")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest, Sha256};
use tokio::process::Command;
use tokio_postgres::NoTls;

use crate::dirs;
use crate::error::{At, Error};

/// Prepares a new cluster as hosted Supabase is prepared.
pub(crate) async fn bootstrap(admin_url: &str, password: &str) -> Result<(), Error> {
    let (client, connection) =
        tokio_postgres::connect(admin_url, NoTls).await.map_err(|source| Error::Database { what: "a connection", source })?;
    let task = tokio::spawn(connection);
    let done = client
        .batch_execute(&include_str!("bootstrap.sql").replace("PASSWORD", password))
        .await
        .map_err(|source| Error::Database { what: "the bootstrap", source });
    drop(client);
    task.abort();
    done
}

/// Applies the migrations to the database at `db_url`, unless the marker in `data_dir` says that exactly these are applied.
pub(crate) async fn migrate(root: &Path, data_dir: &Path, db_url: &str) -> Result<(), Error> {
    let marker = data_dir.join("migrated");
    let wanted = fingerprint(&root.join("supabase/migrations"))?;
    match std::fs::read_to_string(&marker) {
        Ok(applied) if applied == wanted => return Ok(()),
        // Until 0.1.0 migrations are changed in place, so an older database cannot be migrated.
        Ok(_) => return Err(Error::OtherVersion { dir: data_dir.to_owned() }),
        Err(_) => {}
    }
    push(root, db_url).await?;
    std::fs::write(&marker, wanted).at("could not write", marker)
}

/// `supabase db push` of the checkout's migrations.
pub(crate) async fn push(root: &Path, db_url: &str) -> Result<(), Error> {
    let cli = dirs::supabase_cli(root)?;
    let private = std::fs::Permissions::from_mode(0o700);
    let home = tempfile::Builder::new()
        .prefix("nofx-supabase-")
        .permissions(private)
        .tempdir()
        .at("could not create a folder for", "the Supabase CLI")?;
    let output = Command::new(&cli)
        .args(["db", "push", "--yes", "--workdir", &root.to_string_lossy(), "--db-url", &format!("{db_url}?sslmode=disable")])
        .env("HOME", home.path())
        .env("DO_NOT_TRACK", "1")
        .env("SUPABASE_TELEMETRY_DISABLED", "1")
        .stdin(Stdio::null())
        .output()
        .await
        .at("could not start", cli)?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    // Before the error the CLI lists every file that it would push.
    let error = stderr.find("ERROR").or_else(|| stderr.find("failed")).map_or_else(|| stderr.as_ref(), |at| &stderr[at..]);
    Err(Error::failed("supabase db push", error.trim()))
}

fn fingerprint(dir: &Path) -> Result<String, Error> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir).at("could not read", dir)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.file_name().unwrap_or_default().as_encoded_bytes());
        hash.update(std::fs::read(&file).at("could not read", &file)?);
    }
    Ok(hex::encode(hash.finalize()))
}

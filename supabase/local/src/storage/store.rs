//! Where objects are: rows in Postgres, bytes in files. Who may read or write them is in `rules`.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio_postgres::{Client, NoTls, Row};
use uuid::Uuid;

use super::error::Refusal;
use crate::error::{At, Error};

/// The buckets and objects of a project.
pub(crate) struct Storage {
    dir: PathBuf,
    admin_url: String,
    /// One connection, opened again when Postgres was restarted.
    client: Mutex<Option<Arc<Client>>>,
}

impl Storage {
    pub(crate) fn open(dir: PathBuf, admin_url: String) -> Result<Self, Error> {
        std::fs::create_dir_all(&dir).at("could not create", &dir)?;
        // Other users may pass through the data folder.
        std::fs::set_permissions(&dir, Permissions::from_mode(0o700)).at("could not close", &dir)?;
        Ok(Self { dir, admin_url, client: Mutex::new(None) })
    }

    pub(super) async fn client(&self) -> Result<Arc<Client>, Refusal> {
        let mut slot = self.client.lock().await;
        if let Some(client) = slot.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let (client, connection) = tokio_postgres::connect(&self.admin_url, NoTls).await?;
        tokio::spawn(connection);
        let client = Arc::new(client);
        *slot = Some(Arc::clone(&client));
        Ok(client)
    }

    pub(super) fn file(&self, version: Uuid) -> PathBuf {
        self.dir.join(version.simple().to_string())
    }

    pub(super) async fn object(&self, bucket: &str, name: &str) -> Result<Row, Refusal> {
        self.client()
            .await?
            .query_opt("select * from storage.objects where bucket_id = $1 and name = $2", &[&bucket, &name])
            .await?
            .ok_or_else(Refusal::no_such_key)
    }

    pub(super) async fn bucket(&self, bucket: &str) -> Result<Row, Refusal> {
        self.client().await?.query_opt("select * from storage.buckets where id = $1", &[&bucket]).await?.ok_or_else(Refusal::no_such_bucket)
    }
}

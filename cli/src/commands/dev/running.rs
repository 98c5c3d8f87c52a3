//! What runs beside the workers and does not change until the end: the embedded stack, the queue's server, the API's port. And what is
//! derived from them: settings of the API and of workers.

use std::path::PathBuf;
use std::time::Duration;

use nofx_local::Stack;
use nofx_shared::db::Db;
use nofx_shared::settings;
use serde_json::json;

use super::queue::Queue;
use crate::exit::Error;

pub(super) struct Running {
    pub stack: Stack,
    pub queue: Queue,
    pub port: u16,
    pub data_dir: PathBuf,
}

impl Running {
    pub(super) fn supabase(&self) -> settings::Supabase {
        settings::Supabase {
            url: self.stack.supabase_url(),
            rest_url: self.stack.rest_url(),
            anon_key: self.stack.anon_key(),
            service_role_key: self.stack.service_role_key(),
            db_url: Some(self.stack.db_url().to_owned()),
        }
    }

    pub(super) fn api_settings(&self, limits: settings::Limits) -> settings::Api {
        settings::Api {
            supabase: self.supabase(),
            jwt_secret: self.stack.jwt_secret().to_owned(),
            queue: self.queue.settings(),
            internal_api_keys: [vec![self.stack.internal_api_key().to_owned()], settings::internal_api_keys()].concat(),
            function_keys: self.stack.function_key().parse().into_iter().collect(),
            cron_secret: None,
            github_webhook_secrets: settings::github_webhook_secrets(),
            cors_origins: vec![],
            stream: Duration::from_secs(240),
            encryption_keys: self.stack.encryption_keys().parse().expect("keys that this program made"),
            region: None,
            limits,
            edge_config: None,
            oauth_providers: vec![],
            public_url: None,
            trace_url: None,
        }
    }

    /// The tenant of the seeded people, and partitions for the coming days.
    pub(super) async fn seed(&self) -> Result<(), Error> {
        let supabase = self.supabase();
        let db = Db::new(&supabase.rest_url, &supabase.anon_key, supabase.service_role_key);
        let tenant = json!({"p_id": self.stack.tenant_id(), "p_name": "dev"});
        db.call::<_, uuid::Uuid>("create_tenant", &tenant).await.map_err(Error::new)?;
        db.call::<_, Vec<String>>("maintain_event_partitions", &json!({})).await.map_err(Error::new)?;
        Ok(())
    }
}

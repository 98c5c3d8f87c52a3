//! Two tenants that share a stack: the hostile one is the stack's own, with a slow table and a dead receiver; the probe's is new.

use nofx_shared::auth::{Role, sign_for};
use nofx_shared::db::Db;
use serde_json::{Value, json};
use tokio_postgres::NoTls;
use uuid::Uuid;

use super::receiver;
use crate::api::Api;
use crate::bench::stack::BenchStack;
use crate::exit::Error;

/// Longer than any statement may take.
const SLOW_TABLE: &str = "
    create table public.bench_slow (id bigint generated always as identity primary key, note text);
    create function public.bench_wait() returns trigger language plpgsql as $$ begin perform pg_sleep(20); return new; end $$;
    create trigger wait before insert on public.bench_slow for each row execute function public.bench_wait()";

/// The probe's API.
pub(super) async fn prepare(stack: &BenchStack) -> Result<Api, Error> {
    let dev = &stack.dev;
    let (sql, connection) = tokio_postgres::connect(&dev.db_url, NoTls).await.map_err(Error::new)?;
    tokio::spawn(connection);
    sql.batch_execute(SLOW_TABLE).await.map_err(Error::new)?;
    let hostile: Uuid = sql.query_one("select id from nofx.tenant where name = 'dev'", &[]).await.map_err(Error::new)?.get(0);
    let service = Db::new(&dev.rest_url, &dev.anon_key, dev.service_role_key.clone());
    let rule = json!({"p_tenant": hostile, "p_table": "public.bench_slow", "p_ops": ["insert"], "p_constraints": {"columns": ["note"]}});
    service.call::<_, Value>("set_db_write_rule", &rule).await.map_err(Error::new)?;
    service.call::<_, Value>("set_networks", &json!({"p_tenant": hostile, "p_networks": ["127.0.0.1"]})).await.map_err(Error::new)?;
    let probe = Uuid::now_v7();
    service.call::<_, Uuid>("create_tenant", &json!({"p_id": probe, "p_name": "probe"})).await.map_err(Error::new)?;
    let token = sign_for(&dev.jwt_secret, &Uuid::now_v7().to_string(), probe, Role::Contributor, 3600);

    let admin = Api::new(dev.api_url.clone(), dev.tokens.get("admin").cloned().unwrap_or_default());
    let url = receiver::silent().await?;
    for n in 0..4 {
        let hook = json!({"name": format!("dead-{n}"), "phase": "background", "filter": "", "target": {"kind": "webhook", "url": url}});
        admin.post("/api/hooks", &hook).await?;
    }
    Ok(Api::new(dev.api_url.clone(), token))
}

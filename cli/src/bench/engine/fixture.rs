//! The stack of the measures and what several of them do to it: submit a plan, wait, fill the queue. Measures nothing.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use nofx_shared::db::Db;
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use crate::bench::memory;
use crate::bench::stack::BenchStack;
use crate::exit::Error;

pub(super) struct Fixture {
    stack: BenchStack,
    pub http: reqwest::Client,
    /// A connection of the schema's owner, past PostgREST.
    pub sql: Client,
    /// PostgREST as workers call it.
    pub service: Db,
}

/// Resident memory of the worker and of the API.
#[derive(Clone, Copy)]
pub(super) struct Memory {
    pub worker_mb: f64,
    pub api_mb: f64,
}

impl Memory {
    pub(super) fn max(self, other: Self) -> Self {
        Self { worker_mb: self.worker_mb.max(other.worker_mb), api_mb: self.api_mb.max(other.api_mb) }
    }
}

impl Fixture {
    /// Starts the stack and adds the function that the references call.
    pub(super) async fn prepare() -> Result<Self, Error> {
        let stack = BenchStack::start().await?;
        let sql = connect(&stack).await?;
        let dev = &stack.dev;
        let service = Db::new(&dev.rest_url, &dev.anon_key, dev.service_role_key.clone());
        let fixture = Self { http: nofx_shared::net::client(), sql, service, stack };
        fixture.create_reference().await?;
        Ok(fixture)
    }

    async fn create_reference(&self) -> Result<(), Error> {
        self.sql
            .batch_execute(
                "create table nofx.bench_counter (id int primary key, n bigint not null default 0);
                 create table nofx.bench_log (id bigint generated always as identity primary key, n bigint not null);
                 insert into nofx.bench_counter (id) select generate_series(1, 1000);
                 create function nofx.bench_bump(p_id int) returns bigint language plpgsql security definer set search_path = '' as $$
                 declare v_n bigint;
                 begin
                   update nofx.bench_counter set n = n + 1 where id = p_id returning n into v_n;
                   insert into nofx.bench_log (n) values (v_n);
                   return v_n;
                 end $$;
                 grant execute on function nofx.bench_bump(int) to service_role;
                 notify pgrst, 'reload schema';",
            )
            .await
            .map_err(Error::new)?;
        let begin = Instant::now();
        while self.service.call::<_, i64>("bench_bump", &json!({"p_id": 1})).await.is_err() {
            if begin.elapsed() > Duration::from_secs(10) {
                return Err(Error::new("PostgREST did not load the benchmark's function"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Another connection of the schema's owner.
    pub(super) async fn connect(&self) -> Result<Client, Error> {
        connect(&self.stack).await
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.stack.dev.api_url)
    }

    pub(super) fn token(&self, role: &str) -> &str {
        &self.stack.dev.tokens[role]
    }

    pub(super) fn memory(&self) -> Memory {
        let pids = &self.stack.dev.pids;
        let worker_mb = pids.workers.first().map_or(f64::NAN, |pid| memory::worker_of(i64::from(*pid)).map_or(f64::NAN, memory::resident));
        Memory { worker_mb, api_mb: memory::resident(i64::from(pids.api)) }
    }

    /// Once what the start needed is over.
    pub(super) async fn memory_at_rest(&self) -> Memory {
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.memory()
    }

    /// The id of the new run.
    pub(super) async fn submit(&self, plan: &Value) -> Result<String, Error> {
        let response = self
            .http
            .post(self.url("/api/runs"))
            .bearer_auth(self.token("contributor"))
            .json(&json!({"plan": plan}))
            .send()
            .await
            .map_err(Error::new)?;
        let status = response.status();
        let body: Value = response.json().await.map_err(Error::new)?;
        if !status.is_success() {
            return Err(Error::new(format!("POST /api/runs: {status} {body}")));
        }
        Ok(body["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until no run is open.
    pub(super) async fn wait_until_idle(&self, look_every: Duration) -> Result<(), Error> {
        let begin = Instant::now();
        loop {
            let row = self.sql.query_one("select count(*) from nofx.run where ended_at is null", &[]).await.map_err(Error::new)?;
            if row.get::<_, i64>(0) == 0 {
                return Ok(());
            }
            if begin.elapsed() > Duration::from_secs(120) {
                return Err(Error::new(format!("{} runs did not finish within 120 s", row.get::<_, i64>(0))));
            }
            tokio::time::sleep(look_every).await;
        }
    }

    /// Inserts settled steps, and ready ones that only this bench claims.
    pub(super) async fn fill(&self, settled: i64, ready: i64) -> Result<(), Error> {
        // The stack's worker would claim them: its claims name no tools. So it is stopped for this measurement.
        self.signal_worker(Signal::SIGSTOP)?;
        let script = format!(
            "delete from nofx.run where goal = 'filled';
             set session characteristics as transaction read write;
             with t as (select id from nofx.tenant limit 1),
             r as (insert into nofx.run (id, tenant_id, goal, plan, steps_total, open_steps, status, created_by, started_at)
                   select nofx_private.uuid_v7(), t.id, 'filled', '{{}}', 1000, 1000, 'running', 'bench', now()
                     from t, generate_series(1, {runs}) returning id, tenant_id)
             insert into nofx.step (id, tenant_id, run_id, position, name, tool, status, ended_at, ready_at, outputs)
             select nofx_private.uuid_v7(), r.tenant_id, r.id, n, 'k' || n, 'bench', 'succeeded', now(), now(), '{{}}'
               from r, generate_series(1, 1000) as n limit {settled};
             with t as (select id from nofx.tenant limit 1),
             r as (insert into nofx.run (id, tenant_id, goal, plan, steps_total, open_steps, status, created_by, started_at)
                   select nofx_private.uuid_v7(), t.id, 'filled', '{{}}', 1000, 1000, 'running', 'bench', now()
                     from t, generate_series(1, {ready_runs}) returning id, tenant_id),
             s as (insert into nofx.step (id, tenant_id, run_id, position, name, tool, status, ready_at)
                   select nofx_private.uuid_v7(), r.tenant_id, r.id, n, 'r' || n, 'bench', 'ready', now()
                     from r, generate_series(1, 1000) as n returning id, tenant_id, run_id)
             insert into nofx.step_queue (step_id, tenant_id, run_id, state, priority, tool)
             select id, tenant_id, run_id, 'ready', 0, 'bench' from s;
             analyze nofx.run; analyze nofx.step; analyze nofx.step_queue;",
            runs = settled / 1000,
            ready_runs = ready / 1000,
        );
        self.sql.batch_execute(&script).await.map_err(Error::new)
    }

    fn signal_worker(&self, signal: Signal) -> Result<(), Error> {
        match self.stack.dev.pids.workers.first() {
            Some(pid) => kill(Pid::from_raw(*pid), signal).map_err(Error::new),
            None => Ok(()),
        }
    }

    pub(super) async fn stop(self) -> Result<(), Error> {
        // A process that `fill` stopped takes no signal to end.
        self.signal_worker(Signal::SIGCONT)?;
        self.stack.stop().await
    }
}

async fn connect(stack: &BenchStack) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(&stack.dev.db_url, NoTls).await.map_err(Error::new)?;
    tokio::spawn(connection);
    Ok(client)
}

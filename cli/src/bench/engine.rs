//! `nofx bench engine`: the measures of the contract, in one run on one stack.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use nofx_shared::db::Db;
use serde_json::{Value, json};
use tokio_postgres::NoTls;

use super::report::{Report, percentile};
use super::stack::BenchStack;
use crate::exit::{Error, Exit, Outcome};

struct Bench {
    stack: BenchStack,
    http: reqwest::Client,
    sql: tokio_postgres::Client,
    service: Db,
    report: Report,
}

pub(super) async fn run(as_json: bool, only: Option<&str>) -> Outcome {
    if cfg!(debug_assertions) {
        eprintln!("this is a debug build: build with --release for meaningful figures");
    }
    let stack = BenchStack::start().await?;
    let (sql, connection) = tokio_postgres::connect(&stack.dev.db_url, NoTls).await.map_err(Error::new)?;
    tokio::spawn(connection);
    let dev = &stack.dev;
    let service = Db::new(&dev.rest_url, &dev.anon_key, dev.service_role_key.clone());
    let mut bench = Bench { http: nofx_shared::net::client(), sql, service, report: Report::default(), stack };
    bench.prepare().await?;
    let wants = |key: &str| only.is_none_or(|only| key.starts_with(only));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle = bench.memory();
    if wants("ref") || only.is_some() {
        bench.references().await?;
    }
    if wants("chain_step_ms") {
        bench.chain().await?;
    }
    let mut peak = idle;
    if wants("dag_steps_per_s") {
        let (rate, seen) = bench.dags().await?;
        peak = seen;
        bench.report.put("dag_steps_per_s", rate);
    }
    if wants("start_ms") {
        bench.starts().await?;
    }
    if wants("sse_ms") {
        bench.streams().await?;
    }
    if wants("idle_calls_per_min") {
        bench.idle().await?;
    }
    if wants("dag_steps_per_s_pinned") {
        let (pin, connection) = tokio_postgres::connect(&bench.stack.dev.db_url, NoTls).await.map_err(Error::new)?;
        tokio::spawn(connection);
        pin.batch_execute("begin isolation level repeatable read; select 1 from nofx.tenant limit 1").await.map_err(Error::new)?;
        let (rate, _) = bench.dags().await?;
        bench.report.put("dag_steps_per_s_pinned", rate);
    }
    if wants("claim_ms") {
        bench.claims().await?;
    }
    bench.report.put_value("worker_rss_mb", json!({"idle": idle.0, "peak": peak.0}));
    bench.report.put_value("api_rss_mb", json!({"idle": idle.1, "peak": peak.1}));
    bench.report.print(as_json);
    bench.stack.stop().await?;
    Ok(Exit::Succeeded)
}

impl Bench {
    async fn prepare(&self) -> Result<(), Error> {
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

    fn memory(&self) -> (f64, f64) {
        let pids = &self.stack.dev.pids;
        let worker = pids.workers.first().map_or(f64::NAN, |pid| BenchStack::rss_mb(i64::from(*pid)));
        (worker, BenchStack::rss_mb(i64::from(pids.api)))
    }

    async fn references(&mut self) -> Result<(), Error> {
        let mut samples = vec![];
        for n in 0..220 {
            let begin = Instant::now();
            self.service.call::<_, i64>("bench_bump", &json!({"p_id": n % 1000 + 1})).await.map_err(Error::new)?;
            if n >= 20 {
                samples.push(begin.elapsed().as_secs_f64() * 1000.0);
            }
        }
        self.report.put("ref_rpc_ms", percentile(&mut samples, 0.5));

        let seconds = 4.0;
        let mut tasks = tokio::task::JoinSet::new();
        for worker in 0..8 {
            let (client, connection) = tokio_postgres::connect(&self.stack.dev.db_url, NoTls).await.map_err(Error::new)?;
            tokio::spawn(connection);
            tasks.spawn(async move {
                let statement = client.prepare("select nofx.bench_bump($1)").await?;
                let (begin, mut count) = (Instant::now(), 0u32);
                while begin.elapsed().as_secs_f64() < seconds {
                    let id = i32::try_from(count % 125).unwrap_or(0) * 8 + worker + 1;
                    client.query_one(&statement, &[&id]).await?;
                    count += 1;
                }
                Ok::<u32, tokio_postgres::Error>(count)
            });
        }
        let mut total = 0;
        while let Some(count) = tasks.join_next().await {
            total += count.map_err(Error::new)?.map_err(Error::new)?;
        }
        self.report.put("ref_tx_per_s", f64::from(total) / seconds);
        Ok(())
    }

    async fn submit(&self, plan: &Value) -> Result<String, Error> {
        let response = self
            .http
            .post(format!("{}/api/runs", self.stack.dev.api_url))
            .bearer_auth(&self.stack.dev.tokens["contributor"])
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
    async fn settled(&self, look_every: Duration) -> Result<(), Error> {
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

    async fn chain(&mut self) -> Result<(), Error> {
        let steps: Vec<Value> = (0..20).map(|n| json!({"name": format!("s{n}"), "tool": "noop"})).collect();
        let plan = json!({"goal": "chain", "steps": steps});
        let mut samples = vec![];
        for n in 0..13 {
            let begin = chrono::Utc::now();
            let id = self.submit(&plan).await?;
            self.settled(Duration::from_millis(20)).await?;
            let run: uuid::Uuid = id.parse().map_err(Error::new)?;
            let row = self.sql.query_one("select ended_at from nofx.run where id = $1", &[&run]).await.map_err(Error::new)?;
            if n >= 3 {
                let took = row.get::<_, chrono::DateTime<chrono::Utc>>(0) - begin;
                #[expect(clippy::cast_precision_loss, reason = "milliseconds of a bench")]
                samples.push(took.num_microseconds().unwrap_or(0) as f64 / 1000.0 / 20.0);
            }
        }
        self.report.put("chain_step_ms", percentile(&mut samples, 0.5));
        Ok(())
    }

    /// 1,000 runs of 1 → 8 → 1; steps a second, and the largest memory seen.
    async fn dags(&self) -> Result<(f64, (f64, f64)), Error> {
        let mut steps = vec![json!({"name": "first", "tool": "noop", "needs": []})];
        steps.extend((0..8).map(|n| json!({"name": format!("middle{n}"), "tool": "noop", "needs": ["first"]})));
        let all: Vec<String> = (0..8).map(|n| format!("middle{n}")).collect();
        steps.push(json!({"name": "last", "tool": "noop", "needs": all}));
        let plan = Arc::new(json!({"goal": "dag", "steps": steps}));
        let before: i64 =
            self.sql.query_one("select count(*) from nofx.step where ended_at is not null", &[]).await.map_err(Error::new)?.get(0);
        let begin = Instant::now();
        let peak = std::cell::Cell::new((0.0f64, 0.0f64));
        let watching = async {
            loop {
                let (worker, api) = self.memory();
                peak.set((peak.get().0.max(worker), peak.get().1.max(api)));
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let submitting = async {
            let mut posts = futures::stream::iter((0..1000).map(|_| self.submit(&plan))).buffer_unordered(32);
            while let Some(posted) = posts.next().await {
                posted?;
            }
            self.settled(Duration::from_millis(20)).await
        };
        tokio::select! { done = submitting => done?, () = watching => {} }
        let seconds = begin.elapsed().as_secs_f64();
        let after: i64 =
            self.sql.query_one("select count(*) from nofx.step where ended_at is not null", &[]).await.map_err(Error::new)?.get(0);
        #[expect(clippy::cast_precision_loss, reason = "a count of a bench")]
        Ok(((after - before) as f64 / seconds, peak.get()))
    }

    async fn starts(&mut self) -> Result<(), Error> {
        let plan = json!({"goal": "start", "steps": [{"name": "only", "tool": "noop"}]});
        let mut samples = vec![];
        // The first twenty warm up the connections of PostgREST's pool.
        for n in 0..120 {
            let begin = chrono::Utc::now();
            let run: uuid::Uuid = self.submit(&plan).await?.parse().map_err(Error::new)?;
            self.settled(Duration::from_millis(2)).await?;
            // The settle's transaction begins just after the handler, which does nothing: no earlier than the handler started.
            let row = self.sql.query_one("select ended_at from nofx.step where run_id = $1", &[&run]).await.map_err(Error::new)?;
            if n < 20 {
                continue;
            }
            let took = row.get::<_, chrono::DateTime<chrono::Utc>>(0) - begin;
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of a bench")]
            samples.push(took.num_microseconds().unwrap_or(0) as f64 / 1000.0);
        }
        self.report.put("start_ms_p50", percentile(&mut samples, 0.5));
        self.report.put("start_ms_p99", percentile(&mut samples, 0.99));
        Ok(())
    }

    async fn streams(&mut self) -> Result<(), Error> {
        let (sender, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let request = self
                .http
                .get(format!("{}/api/events/stream?types=run.created", self.stack.dev.api_url))
                .bearer_auth(&self.stack.dev.tokens["viewer"]);
            let sender = sender.clone();
            clients.spawn(async move {
                let Ok(mut response) = request.send().await else { return };
                while let Ok(Some(chunk)) = response.chunk().await {
                    let text = String::from_utf8_lossy(&chunk).into_owned();
                    if let Some(time) = text.split("\"time\":\"").nth(1).and_then(|rest| rest.split('"').next()) {
                        drop(sender.send((chrono::Utc::now(), time.to_owned())));
                    }
                }
            });
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        let plan = json!({"goal": "sse", "steps": [{"name": "only", "tool": "noop"}]});
        for _ in 0..20 {
            self.submit(&plan).await?;
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        clients.abort_all();
        let mut samples = vec![];
        while let Ok((arrived, written)) = arrivals.try_recv() {
            let written: chrono::DateTime<chrono::Utc> = written.parse().map_err(Error::new)?;
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of a bench")]
            samples.push((arrived - written).num_microseconds().unwrap_or(0) as f64 / 1000.0);
        }
        if samples.len() < 1900 {
            return Err(Error::new(format!("only {} of 2000 events arrived at the 100 clients", samples.len())));
        }
        self.report.put("sse_ms_p50", percentile(&mut samples, 0.5));
        self.report.put("sse_ms_p99", percentile(&mut samples, 0.99));
        Ok(())
    }

    /// Calls of the database by an idle worker, with 50 runs parked or asleep.
    async fn idle(&mut self) -> Result<(), Error> {
        for n in 0..50 {
            let step = if n % 2 == 0 {
                json!({"name": "s", "tool": "sleep", "inputs": {"seconds": 3600}})
            } else {
                json!({"name": "m", "tool": "manual:bench"})
            };
            self.submit(&json!({"goal": "parked", "steps": [step]})).await?;
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        // Every call of PostgREST is one transaction of its role; our own connection is another role's.
        let count = "select coalesce(sum(calls), 0)::bigint from extensions.pg_stat_statements s join pg_roles r on r.oid = s.userid \
                     where r.rolname = 'service_role' and query like '%pgrst_call%'";
        let before: i64 = self.sql.query_one(count, &[]).await.map_err(Error::new)?.get(0);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let after: i64 = self.sql.query_one(count, &[]).await.map_err(Error::new)?.get(0);
        #[expect(clippy::cast_precision_loss, reason = "a small count")]
        self.report.put("idle_calls_per_min", (after - before) as f64);
        self.sql.batch_execute("delete from nofx.run where goal = 'parked'").await.map_err(Error::new)?;
        Ok(())
    }

    /// Median claim of 10 steps with few and with many rows. No worker takes part: no worker has the tool of the steps.
    async fn claims(&mut self) -> Result<(), Error> {
        for (key, settled) in [("claim_ms_at_1k", 1_000), ("claim_ms_at_1m", 1_000_000)] {
            self.fill(settled, 100_000).await?;
            let mut samples = vec![];
            for n in 0..60 {
                let arguments = json!({"p_worker": "bench", "p_capacity": 10, "p_tools": ["bench"]});
                let begin = Instant::now();
                let claimed: Vec<Value> = self.service.call("claim_steps", &arguments).await.map_err(Error::new)?;
                if n >= 10 {
                    samples.push(begin.elapsed().as_secs_f64() * 1000.0);
                }
                if claimed.len() != 10 {
                    return Err(Error::new(format!("a claim returned {} steps instead of 10", claimed.len())));
                }
            }
            self.report.put(key, percentile(&mut samples, 0.5));
        }
        Ok(())
    }

    /// Inserts settled steps, and ready ones that only this bench claims.
    async fn fill(&self, settled: i64, ready: i64) -> Result<(), Error> {
        // The stack's worker would claim them: its claims name no tools. So it is stopped for this measurement.
        if let Some(pid) = self.stack.dev.pids.workers.first() {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(*pid), nix::sys::signal::Signal::SIGSTOP).map_err(Error::new)?;
        }
        let script = format!(
            "delete from nofx.run where goal = 'kept';
             set session characteristics as transaction read write;
             with t as (select id from nofx.tenant limit 1),
             r as (insert into nofx.run (id, tenant_id, goal, plan, steps_total, open_steps, status, created_by, started_at)
                   select nofx_private.uuid_v7(), t.id, 'kept', '{{}}', 1000, 1000, 'running', 'bench', now()
                     from t, generate_series(1, {runs}) returning id, tenant_id)
             insert into nofx.step (id, tenant_id, run_id, position, name, tool, status, ended_at, ready_at, outputs)
             select nofx_private.uuid_v7(), r.tenant_id, r.id, n, 'k' || n, 'bench', 'succeeded', now(), now(), '{{}}'
               from r, generate_series(1, 1000) as n limit {settled};
             with t as (select id from nofx.tenant limit 1),
             r as (insert into nofx.run (id, tenant_id, goal, plan, steps_total, open_steps, status, created_by, started_at)
                   select nofx_private.uuid_v7(), t.id, 'kept', '{{}}', 1000, 1000, 'running', 'bench', now()
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
}

//! `db_write` fuzzed: whatever a plan says, nothing outside of the rule is reached. And beside others: nobody waits for a slow table.

use nofx_tests::WAIT_LIMIT;
use nofx_tests::own::Own;
use nofx_tests::sealing::BRING_KEY;
use serde_json::{Value, json};

/// A deterministic source of random numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.roll(of.len())]
    }
}

const HOSTILE: &[&str] = &[
    "'; drop table public.canary; --",
    "x') or 1=1 --",
    "\"; delete from public.canary; --",
    "$1",
    "$$; delete from public.canary; $$",
    "status\" = 'x', \"secret",
    "secret",
    "team",
    "id",
    "status",
    "note",
    "public.canary",
    "nofx.run",
    "pg_catalog.pg_authid",
    "public.ticket, public.canary",
    "\\'; update public.ticket set secret = 'x",
    "{open}",
    "(select secret from public.ticket)",
    "null",
    "",
    "\u{1f4a3}\u{202e}",
];

fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.roll(if depth > 2 { 7 } else { 9 }) {
        0 => json!(dice.roll(12)),
        1 => json!(dice.pick(&["open", "closed"])),
        2 => Value::Null,
        3 => json!(dice.roll(2) == 0),
        4 => json!(-1_000_000_000_000_i64),
        5 | 6 => json!(dice.pick(HOSTILE)),
        7 => (0..dice.roll(4)).map(|_| value(dice, depth + 1)).collect(),
        _ => json!({ dice.pick(HOSTILE): value(dice, depth + 1) }),
    }
}

/// A value that fits the column, or any.
fn fitting(dice: &mut Dice, column: &str) -> Value {
    match (dice.roll(8), column) {
        (0, _) => value(dice, 1),
        (_, "id") => json!(dice.roll(40)),
        (_, "team") => json!(dice.pick(&["support", "other"])),
        (_, "status") => json!(dice.pick(&["open", "closed"])),
        _ => json!(dice.pick(HOSTILE)),
    }
}

/// Often nearly right, so that the deeper checks are reached too.
fn column(dice: &mut Dice) -> &'static str {
    if dice.roll(15) < 14 { dice.pick(&["id", "id", "status", "note", "team"]) } else { dice.pick(HOSTILE) }
}

fn write(dice: &mut Dice) -> Value {
    let operator = |dice: &mut Dice| {
        if dice.roll(6) < 5 { dice.pick(&["eq", "neq", "lt", "gte", "in", "is_null", "not_null"]) } else { dice.pick(HOSTILE) }
    };
    let filters: Vec<Value> = (0..dice.roll(3))
        .map(|_| {
            let (column, op) = (column(dice), operator(dice));
            let one = fitting(dice, column);
            json!({"column": column, "op": op, "value": if op == "in" { json!([one, fitting(dice, column)]) } else { one }})
        })
        .collect();
    let rows: Vec<Value> = (0..dice.roll(4))
        .map(|_| {
            let mut row = serde_json::Map::new();
            for _ in 0..=dice.roll(3) {
                let column = column(dice);
                row.insert(column.to_owned(), fitting(dice, column));
            }
            Value::Object(row)
        })
        .collect();
    let op = if dice.roll(10) < 9 { dice.pick(&["insert", "update", "upsert", "delete"]) } else { dice.pick(HOSTILE) };
    let table = if dice.roll(20) < 19 { "public.ticket" } else { dice.pick(HOSTILE) };
    let mut write = json!({"op": op, "table": table, "rows": rows, "filters": filters, "on_conflict": [column(dice)]});
    if dice.roll(12) == 0 {
        let key = dice.pick(&["op", "table", "rows", "filters", "on_conflict", "dry_run"]);
        write[key] = value(dice, 0);
    }
    write
}

#[tokio::test]
async fn ten_thousand_writes_reach_nothing_outside_of_the_rule() {
    let stack = Own::start(&Own::folder("writes"), &["--workers", "0"]);
    let sql = stack.sql().await;
    sql.batch_execute(
        "create table public.ticket (id int primary key, team text default 'support', status text, note text, secret text default 's');
         create table public.canary (id int primary key, secret text); insert into public.canary values (1, 'bird');
         insert into public.ticket (id, team, status) select n, case when n % 2 = 0 then 'support' else 'other' end, 'open' from generate_series(1, 10) as n;
         select set_config('request.jwt.claims', '{\"role\": \"service_role\"}', false);",
    )
    .await
    .expect("tables");
    sql.batch_execute(BRING_KEY).await.expect("a key");
    let (tenant, run) = (stack.tenant().await, uuid::Uuid::now_v7());
    let rule = json!({"columns": ["id", "status", "note"], "read": ["team"], "rows": [{"column": "team", "op": "eq", "value": "support"}],
        "checks": [{"column": "status", "op": "in", "value": ["open", "closed"]}], "max_rows": 3});
    sql.query("select nofx.set_db_write_rule($1, 'public.ticket', array['insert', 'update', 'upsert', 'delete'], $2)", &[&tenant, &rule])
        .await
        .expect("a rule");
    let steps = json!([{"name": "w", "tool": "db_write"}]);
    sql.query("select nofx.create_run($1, '{}', $2, $3)", &[&run, &steps, &tenant]).await.expect("a run");

    let outside = "select md5(string_agg(t::text, '|' order by id)) from public.ticket t where team <> 'support'";
    let others: String = sql.query_one(outside, &[]).await.expect("rows").get(0);
    let mut dice = Dice(4);
    let (mut written, mut refused) = (0_i64, 0);
    let try_it = sql.prepare("select nofx_private.apply_write(s, $1) from nofx.step s where s.run_id = $2").await.expect("a statement");
    for number in 0..10_000 {
        let write = write(&mut dice);
        match sql.query(&try_it, &[&write, &run]).await {
            // A dry run writes nothing.
            Ok(_) => written += i64::from(write["dry_run"] != true),
            Err(error) => {
                let code = error.as_db_error().unwrap_or_else(|| panic!("{number}: {error}")).code().code().to_owned();
                // Refused by us, or by the types and keys of the table (42P10: an upsert by columns that are no key): never a syntax error, never a missing right.
                assert!(
                    code == "PT422" || code == "42P10" || code.starts_with("22") || code.starts_with("23"),
                    "{number}: {code} {error:?} for {write}"
                );
                refused += 1;
            }
        }
        if number % 1000 == 999 {
            let check = "select (select string_agg(c::text, '') from public.canary c) = '(1,bird)'
                and not exists (select from public.ticket where secret <> 's' or team not in ('support', 'other') or status not in ('open', 'closed'))
                and (select count(*) from nofx.run) = 1";
            assert!(sql.query_one(check, &[]).await.expect("an answer").get::<_, bool>(0), "after {number} writes");
            assert_eq!(others, sql.query_one(outside, &[]).await.expect("rows").get::<_, String>(0), "after {number} writes");
        }
    }
    assert!(written > 300 && refused > 1000, "{written} were written and {refused} refused: they are not mixed enough to prove anything");
    let kept: i64 = sql.query_one("select count(*) from nofx.audit_log where action like 'db_write.%'", &[]).await.expect("a count").get(0);
    assert_eq!(kept, written, "each write is in the audit log");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_settles_a_step_of_the_same_run_does_not_wait_for_a_slow_table() {
    let stack = Own::start(&Own::folder("writes"), &["--workers", "0"]);
    let (slow, sql) = (stack.sql().await, stack.sql().await);
    // A trigger that takes until this test says so. It sees what others have committed meanwhile.
    sql.batch_execute(
        "create table public.go (at timestamptz); create table public.slow (id int primary key);
         create function public.wait() returns trigger language plpgsql security definer as $$
         begin
           loop exit when exists (select from public.go); perform pg_sleep(0.01); end loop;
           return new;
         end $$;
         create trigger wait before insert on public.slow for each row execute function public.wait();",
    )
    .await
    .expect("tables");
    for one in [&slow, &sql] {
        let settings = "select set_config('request.jwt.claims', '{\"role\": \"service_role\"}', false); set lock_timeout = '60s'";
        one.batch_execute(settings).await.expect("a worker");
        one.batch_execute(BRING_KEY).await.expect("a key");
    }
    let (tenant, run) = (stack.tenant().await, uuid::Uuid::now_v7());
    sql.query("select nofx.set_db_write_rule($1, 'public.slow', array['insert'], '{\"columns\": [\"id\"]}')", &[&tenant])
        .await
        .expect("a rule");
    let steps = json!([{"name": "beside", "tool": "noop"}, {"name": "late", "tool": "noop"}, {"name": "write", "tool": "db_write"}]);
    sql.query("select nofx.create_run($1, '{}', $2, $3)", &[&run, &steps, &tenant]).await.expect("a run");
    sql.query("select nofx.claim_steps('w', 3)", &[]).await.expect("claims");
    let outcome = async |name: &str| -> Value {
        let outcome = "select jsonb_build_object('step_id', id, 'token', lease_token, 'kind', 'done') from nofx.step where name = $1";
        sql.query_one(outcome, &[&name]).await.expect("a running step").get(0)
    };
    let mut write = outcome("write").await;
    write["outputs"] = json!({"op": "insert", "table": "public.slow", "rows": [{"id": 1}]});
    let writing = tokio::spawn(async move {
        let settled = slow.query_one("select nofx.settle_write('w', $1)::text", &[&write]).await;
        settled.map(|row| row.get::<_, String>(0))
    });
    let asleep = "select exists (select from pg_stat_activity where wait_event = 'PgSleep' and query like '%settle_write%')";
    let begun = std::time::Instant::now();
    while !sql.query_one(asleep, &[]).await.expect("an answer").get::<_, bool>(0) {
        assert!(begun.elapsed() < WAIT_LIMIT, "it does not begin to write");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let beside = json!([outcome("beside").await]);
    sql.query("select nofx.settle_steps('w', $1)", &[&beside]).await.expect("the run is not locked");
    let statuses = "select array_agg(status::text order by name) from nofx.step";
    let now: Vec<String> = sql.query_one(statuses, &[]).await.expect("statuses").get(0);
    assert_eq!(now, ["succeeded", "running", "running"]);
    sql.batch_execute("insert into public.go values (now())").await.expect("it may go on");
    let settled = writing.await.expect("no panic").expect("settled");
    assert!(settled.contains("\"refused\" : []") || settled.contains("\"refused\": []"), "{settled}");
    let now: Vec<String> = sql.query_one(statuses, &[]).await.expect("statuses").get(0);
    assert_eq!(now, ["succeeded", "running", "succeeded"]);
    assert_eq!(sql.query_one("select count(*) from public.slow", &[]).await.expect("a count").get::<_, i64>(0), 1);
}

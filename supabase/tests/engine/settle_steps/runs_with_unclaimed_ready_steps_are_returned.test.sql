begin;
select plan(1);
select tap.tenant();
select tap.run_of('fan', 3);
select tap.claim();
select is(tap.settle('first', 'done', '{}', 1) -> 'wake_for' ->> 0, tap.run()::text);
select * from finish();
rollback;

begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 1, '{"concurrency_key": "repo", "concurrency_limit": 1}');
select tap.tenant();
select tap.run_of('loose', 1, '{"concurrency_key": "repo", "concurrency_limit": 1, "name": "other"}');
select is(tap.claim(), array['other', 's0']);
select * from finish();
rollback;

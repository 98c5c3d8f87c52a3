begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 3, '{}', '{"max_parallel": 2}');
select results_eq($$ select kind::text, count(*) from nofx.doorbell where run_id = tap.run() group by 1 order by 1 $$, $$ values ('held', 1::bigint), ('ready', 2) $$);
select is(nofx_private.make_ready(null), 0, 'nothing is nothing');
select * from finish();
rollback;

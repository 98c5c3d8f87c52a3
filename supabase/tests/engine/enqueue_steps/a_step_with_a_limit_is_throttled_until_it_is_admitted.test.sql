begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 3, '{}', '{"max_parallel": 2}');
select results_eq($$ select state::text, count(*) from nofx.step_queue where run_id = tap.run() group by 1 order by 1 $$, $$ values ('ready', 2::bigint), ('throttled', 1) $$);
select is(nofx_private.enqueue_steps(null), 0, 'null is none');
select * from finish();
rollback;

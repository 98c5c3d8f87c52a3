begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 2);
select tap.claim();
select results_eq($$ select step_ids @> array[tap.step('s0'), tap.step('s1')], check_at - now() from nofx_private.lease_batch where step_ids @> array[tap.step('s0')] $$, $$ values (true, interval '30 seconds') $$);
select * from finish();
rollback;

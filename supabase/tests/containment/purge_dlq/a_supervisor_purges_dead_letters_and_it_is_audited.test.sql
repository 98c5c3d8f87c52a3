begin;
select plan(4);
select tap.tenant();
select tap.run_of('chain', 2, '{"max_attempts": 1}');
select tap.claim();
select tap.save('s0', 'log.txt');
select tap.fail_step('s0', '{"transient": true}');

select tap.be('contributor');
select throws_ok($$ select nofx.purge_dlq() $$, 'PT403', 'forbidden');
select tap.be('supervisor');
select is(json_array_length(nofx.purge_dlq(p_dry_run => true) -> 'purged'), 1);
select is(json_array_length(nofx.purge_dlq() -> 'purged'), 1);
select is((select array_agg(action order by seq) from nofx.audit_log), array['run.submitted', 'dlq.purged']);
select * from finish();
rollback;

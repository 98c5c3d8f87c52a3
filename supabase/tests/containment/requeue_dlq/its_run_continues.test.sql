begin;
select plan(6);
select tap.tenant();
select tap.run_of('chain', 2, '{"max_attempts": 1}');
select tap.claim();
select tap.save('s0', 'log.txt');
select tap.fail_step('s0', '{"transient": true}');

select tap.be('viewer');
select throws_ok($$ select nofx.requeue_dlq() $$, 'PT403', 'forbidden');
select tap.be('contributor');
select is(json_array_length(nofx.requeue_dlq(p_dry_run => true) -> 'requeued'), 1);
select is(tap.run_status(), 'failed', 'after a dry run');
select is(json_array_length(nofx.requeue_dlq(p_tool => 'noop') -> 'requeued'), 1);
select is(array[tap.run_status(), tap.status('s0'), tap.status('s1')], array['running', 'ready', 'pending']);
select is_empty('select 1 from nofx.step_dlq');
select * from finish();
rollback;

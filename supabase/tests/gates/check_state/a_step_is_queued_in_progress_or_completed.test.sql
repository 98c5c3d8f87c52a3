begin;
select plan(3);
select is(nofx_private.check_state('pending'), 'queued');
select is(nofx_private.check_state('waiting'), 'in_progress');
select is(nofx_private.check_state('skipped'), 'completed');
select * from finish();
rollback;

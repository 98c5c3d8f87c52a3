begin;
select plan(3);
select is(nofx_private.check_run_status('pending'), 'queued');
select is(nofx_private.check_run_status('waiting'), 'in_progress');
select is(nofx_private.check_run_status('skipped'), 'completed');
select * from finish();
rollback;

begin;
select plan(2);
select tap.tenant();
select tap.run_of('chain', 1);
select is((nofx_private.lock_run_for_caller(tap.run(), 'viewer')).id, tap.run());
select tap.be('admin', gen_random_uuid());
select throws_ok($$ select nofx_private.lock_run_for_caller(tap.run(), 'viewer') $$, 'PT404', 'run-not-found');
select * from finish();
rollback;

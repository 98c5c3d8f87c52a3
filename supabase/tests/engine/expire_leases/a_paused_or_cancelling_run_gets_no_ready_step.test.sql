begin;
select plan(3);
create function pg_temp.expired() returns text language plpgsql as $$
begin
  perform tap.be_service();
  update nofx_private.lease_batch set check_at = now() - interval '1 second' where step_ids @> array[tap.step('s0')];
  update nofx.step set lease_expires_at = now() - interval '1 second' where id = tap.step('s0');
  perform nofx.expire_leases();
  return tap.status('s0');
end
$$;
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
select tap.be('supervisor');
select nofx.pause_run(tap.run());
select is(pg_temp.expired(), 'pending', 'a paused run');
select tap.run_of('loose', 1);
select tap.claim();
select tap.be('supervisor');
select nofx.cancel_run(tap.run());
select is(pg_temp.expired(), 'cancelled', 'a run that is being cancelled');
select is(tap.run_status(), 'cancelled');
select * from finish();
rollback;

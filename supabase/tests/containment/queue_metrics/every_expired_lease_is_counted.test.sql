begin;
select plan(3);
create function pg_temp.expired() returns int language plpgsql as $$
begin
  perform tap.be_service();
  return (nofx.queue_metrics() ->> 'leases_expired_last_hour')::int;
end $$;
create temporary table before as select pg_temp.expired() as n;
create function pg_temp.expire() returns void language plpgsql as $$
begin
  perform tap.claim();
  update nofx.step set lease_expires_at = now() - interval '1 second' where run_id = tap.run() and status = 'running';
  update nofx_private.lease_batch set check_at = now() - interval '1 second' where true;
  perform nofx.expire_leases();
end $$;
select tap.tenant();
select tap.run_of('loose', 1);
select pg_temp.expire();
select is(pg_temp.expired() - n, 1) from before;
select pg_temp.expire();
select is(pg_temp.expired() - n, 2, 'also the one that makes the step poison') from before;
select is((select data #>> '{error,message}' from nofx.event where run_id = tap.run() and type = 'step.failed'),
  'the lease expired 2 times (worker crashed or unreachable)', 'and says why');
select * from finish();
rollback;

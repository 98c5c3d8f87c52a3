begin;
select plan(2);
select tap.tenant();
select tap.run_of('chain', 2, '{"on_failure": "continue"}');
create function pg_temp.expire() returns json language plpgsql as $$
begin
  perform tap.claim();
  update nofx.step set lease_expires_at = now() - interval '1 minute' where status = 'running';
  update nofx_private.lease_batch set check_at = now() - interval '1 second';
  return nofx.expire_leases();
end
$$;
select pg_temp.expire();
select is((tap.events())[5:], array['step.lease_expired s0', 'step.ready s0']);
select pg_temp.expire();
select is((tap.events())[8:], array['step.failed s0', 'step.dead_lettered s0', 'step.ready s1']);
select * from finish();
rollback;

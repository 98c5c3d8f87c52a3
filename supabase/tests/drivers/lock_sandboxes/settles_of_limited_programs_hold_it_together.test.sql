begin;
select plan(4);
select tap.tenant();
select tap.submit('[{"name": "a", "tool": "bash"}, {"name": "b", "tool": "noop"}]');
create function pg_temp.locks() returns text[] language sql as $$
  select array_agg(mode order by mode) from pg_locks
   where locktype = 'advisory' and pid = pg_backend_pid()
     and (classid::bigint << 32 | objid::bigint) = hashtextextended(current_setting('tap.tenant'), 8)
$$;
select nofx_private.lock_sandboxes(array[tap.step('a'), tap.step('b')]);
select is(pg_temp.locks(), null, 'there is no quota');
insert into nofx.quota (tenant_id, parallel_sandboxes) values (current_setting('tap.tenant')::uuid, 1);
select nofx_private.lock_sandboxes(array[tap.step('b')]);
select is(pg_temp.locks(), null, 'it runs no program');
select nofx_private.lock_sandboxes(null);
select is(pg_temp.locks(), null, 'a call that settles nothing');
select nofx_private.lock_sandboxes(array[tap.step('b'), tap.step('a')]);
select is(pg_temp.locks(), array['ShareLock']);
select * from finish();
rollback;

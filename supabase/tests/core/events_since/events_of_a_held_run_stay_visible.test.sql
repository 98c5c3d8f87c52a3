begin;
select plan(3);
select tap.tenant();
select tap.run_of('loose', 1);
insert into nofx.event (tenant_id, run_id, type, created_at) values
  (current_setting('tap.tenant')::uuid, tap.run(), 'old.of_run', now() - interval '91 days'), (current_setting('tap.tenant')::uuid, null, 'old.of_none', now() - interval '91 days');
create function pg_temp.old() returns text[] language sql as $$ select array(select tap.seen($q$ select type from nofx.event where type like 'old.%' order by type $q$)) $$;
select is(pg_temp.old(), '{}');
insert into nofx.legal_hold (id, tenant_id, run_id, reason, created_by) values (gen_random_uuid(), current_setting('tap.tenant')::uuid, tap.run(), 'r', 'a');
select is(pg_temp.old(), array['old.of_run']);
update nofx.legal_hold set run_id = null where true;
select is(pg_temp.old(), array['old.of_none', 'old.of_run']);
select * from finish();
rollback;

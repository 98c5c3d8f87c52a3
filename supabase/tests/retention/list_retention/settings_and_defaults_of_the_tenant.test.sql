begin;
select plan(4);
select tap.tenant();
create function pg_temp.listed() returns text[] language sql as $$
  select array_agg((r ->> 'what') || ' ' || coalesce(r ->> 'days', 'forever') || case (r ->> 'is_default')::boolean when true then '' else ' set' end order by n)
    from json_array_elements(nofx.list_retention()) with ordinality as e (r, n)
$$;
select is(pg_temp.listed(), array['runs forever', 'model_calls forever', 'artifacts forever', 'alerts 90', 'events 90']);
insert into nofx.retention (tenant_id, what, days) values (current_setting('tap.tenant')::uuid, 'runs', 3), (current_setting('tap.tenant')::uuid, 'events', null);
insert into nofx.legal_hold (id, tenant_id, reason, created_by) values (gen_random_uuid(), current_setting('tap.tenant')::uuid, 'r', 'a');
select is(pg_temp.listed(), array['runs 3 set', 'model_calls forever', 'artifacts forever', 'alerts 90', 'events forever set'], 'a hold does not change them');
select tap.be('nobody');
select throws_ok('select nofx.list_retention()', '22P02');
select tap.tenant();
select is(pg_temp.listed(), array['runs forever', 'model_calls forever', 'artifacts forever', 'alerts 90', 'events 90'], 'another tenant');
select * from finish();
rollback;

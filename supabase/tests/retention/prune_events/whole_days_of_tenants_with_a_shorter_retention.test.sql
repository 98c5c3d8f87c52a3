begin;
select plan(8);
select tap.tenant();
create function pg_temp.event(p_type text, p_ago interval, p_run uuid default null) returns void language sql as $$
  insert into nofx.event (tenant_id, run_id, type, created_at) values (current_setting('tap.tenant')::uuid, p_run, p_type, date_trunc('day', now()) - p_ago)
$$;
create function pg_temp.left_over() returns text[] language sql as $$
  select coalesce(array_agg(type order by type), '{}') from nofx.event where tenant_id = current_setting('tap.tenant')::uuid and type like 't.%'
$$;
select tap.run_of('loose', 1);
select pg_temp.event('t.theirs', '20 days');
create temporary table theirs as select current_setting('tap.tenant')::uuid as id;
select tap.tenant();
select tap.run_of('loose', 1);
select pg_temp.event('t.young', '10 days'), pg_temp.event('t.old', '10 days 1 microsecond'), pg_temp.event('t.older', '20 days'), pg_temp.event('t.held', '20 days', tap.run());
insert into nofx.legal_hold (id, tenant_id, run_id, reason, created_by) values (gen_random_uuid(), current_setting('tap.tenant')::uuid, tap.run(), 'r', 'a');
select tap.be_service();
select is(nofx.prune_events(), 0, 'ninety days by default');
insert into nofx.retention (tenant_id, what, days) values (current_setting('tap.tenant')::uuid, 'events', 10);
select is(nofx.prune_events(1), 1);
select is(nofx.prune_events(), 1);
select is(pg_temp.left_over(), array['t.held', 't.young']);
select is((select sum((data ->> 'count')::int)::int from nofx.event where type = 'history.pruned' and tenant_id = current_setting('tap.tenant')::uuid), 2);
update nofx.legal_hold set run_id = null where true;
select is(nofx.prune_events(), 0, 'the tenant is under a legal hold');
select isnt_empty($$ select from nofx.event where tenant_id = (select id from theirs) and type = 't.theirs' $$, 'another tenant keeps them longer');
select tap.be('admin');
select throws_ok('select nofx.prune_events()', 'PT403', 'forbidden');
select * from finish();
rollback;

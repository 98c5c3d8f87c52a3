begin;
select plan(7);
select tap.tenant();
select tap.be('supervisor');
select nofx.set_alert_rule('queue_depth', 3);
select tap.run_of('loose', 3);
select throws_ok($$ select nofx.watch_queues() $$, 'PT403', 'forbidden');
select tap.be_service();
create function pg_temp.events() returns text[] language sql as $$
  select array_agg(type order by id) from nofx.event where type like 'alert.%' and tenant_id = current_setting('tap.tenant')::uuid
$$;
select nofx.watch_queues();
select is(pg_temp.events(), array['alert.raised']);
select nofx.watch_queues();
select is(pg_temp.events(), array['alert.raised'], 'only once');
select results_eq($$ select kind::text, value, threshold from nofx.alert where tenant_id = current_setting('tap.tenant')::uuid $$, $$ values ('queue_depth', 3::double precision, 3::double precision) $$);
select tap.claim();
select nofx.watch_queues();
select is(pg_temp.events(), array['alert.raised', 'alert.resolved']);
select isnt((select resolved_at from nofx.alert where tenant_id = current_setting('tap.tenant')::uuid), null);
select nofx.watch_queues();
select is(pg_temp.events(), array['alert.raised', 'alert.resolved']);
select * from finish();
rollback;

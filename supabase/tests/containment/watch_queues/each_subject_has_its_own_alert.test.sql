begin;
select plan(9);
select tap.tenant();
select tap.be('supervisor');
select nofx.set_alert_rule('breaker_open', 60);
insert into nofx.handler_health (tenant_id, target, state, probe_at, opened_at)
select current_setting('tap.tenant')::uuid, target, 'open', now(), now() - interval '60 seconds' from unnest(array['bash', 'http:h']) as target;
insert into nofx.handler_health (tenant_id, target, state, probe_at, opened_at)
values (current_setting('tap.tenant')::uuid, 'provider:young', 'open', now(), now() - interval '59 seconds');
create function pg_temp.open_alerts() returns text[] language sql as $$
  select coalesce(array_agg(subject order by subject), '{}') from nofx.alert where tenant_id = current_setting('tap.tenant')::uuid and resolved_at is null
$$;
create function pg_temp.events(p_type text) returns text[] language sql as $$
  select coalesce(array_agg(data ->> 'subject' order by data ->> 'subject'), '{}')
    from nofx.event where type = p_type and tenant_id = current_setting('tap.tenant')::uuid
$$;
select tap.be_service();
select nofx.watch_queues();
select is(pg_temp.open_alerts(), array['bash', 'http:h'], 'two breakers are open at once, the third not long enough');
select is(pg_temp.events('alert.raised'), array['bash', 'http:h']);
select is((select count(distinct link)::int from nofx.alert where tenant_id = current_setting('tap.tenant')::uuid), 2, 'each has a link of its own');
select is((select bool_and(link = '/ui/system#alert-' || id) from nofx.alert where tenant_id = current_setting('tap.tenant')::uuid), true);
update nofx.handler_health set state = 'closed', probe_at = null, opened_at = null where target = 'bash';
select nofx.watch_queues();
select is(pg_temp.open_alerts(), array['http:h'], 'the other one is resolved by itself');
select is(pg_temp.events('alert.resolved'), array['bash']);
update nofx.handler_health set state = 'open', probe_at = now(), opened_at = now() - interval '1 hour' where target = 'bash';
select nofx.watch_queues();
select is(pg_temp.events('alert.raised'), array['bash', 'bash', 'http:h'], 'a resolved alert can be raised again');
select tap.be('supervisor');
select nofx.set_alert_rule('breaker_open', null);
select tap.be_service();
select nofx.watch_queues();
select is(pg_temp.open_alerts(), '{}', 'an alert that is turned off is resolved');
select is(pg_temp.events('alert.resolved'), array['bash', 'bash', 'http:h']);
select * from finish();
rollback;

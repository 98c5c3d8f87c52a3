begin;
select plan(7);
select tap.tenant();
create function pg_temp.alert(p_subject text, p_ago interval, p_run uuid default null) returns void language sql as $$
  insert into nofx.alert (id, tenant_id, kind, subject, run_id, value, threshold, link, raised_at, resolved_at)
  values (gen_random_uuid(), current_setting('tap.tenant')::uuid, 'queue_age', p_subject, p_run, 1, 1, '/', now() - interval '200 days', now() - p_ago)
$$;
create function pg_temp.left_over() returns text[] language sql as $$
  select coalesce(array_agg(subject order by subject), '{}') from nofx.alert where tenant_id = current_setting('tap.tenant')::uuid
$$;
select tap.run_of('loose', 1);
select pg_temp.alert('open', null), pg_temp.alert('young', '90 days'), pg_temp.alert('old', '91 days'), pg_temp.alert('older', '92 days'), pg_temp.alert('held', '91 days', tap.run());
insert into nofx.legal_hold (id, tenant_id, run_id, reason, created_by) values (gen_random_uuid(), current_setting('tap.tenant')::uuid, tap.run(), 'r', 'a');
select tap.be('admin');
select throws_ok('select nofx.prune_alerts()', 'PT403', 'forbidden');
select tap.be_service();
select is(nofx.prune_alerts(1), 1);
select is(nofx.prune_alerts(), 1);
select is(pg_temp.left_over(), array['held', 'open', 'young']);
insert into nofx.retention (tenant_id, what, days) values (current_setting('tap.tenant')::uuid, 'alerts', null);
delete from nofx.legal_hold where true;
select is(nofx.prune_alerts(), 0, 'forever');
update nofx.retention set days = 1 where true;
select is(nofx.prune_alerts(), 2);
select is(pg_temp.left_over(), array['open'], 'an open alert has not ended');
select * from finish();
rollback;

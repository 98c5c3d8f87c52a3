begin;
select plan(11);
select tap.tenant();
select tap.be('supervisor');
select throws_ok($$ select nofx.set_retention('runs', 30) $$, 'PT403', 'forbidden');
select tap.be('admin');
select throws_ok($$ select nofx.set_retention('runs', 0) $$, 'PT422', 'invalid-retention');
select throws_ok($$ select nofx.set_retention('runs', -1) $$, 'PT422', 'invalid-retention');
select throws_ok($$ select nofx.set_retention('runs', 3651) $$, 'PT422', 'invalid-retention');
select throws_ok($$ select nofx.set_retention('runs', 2147483647) $$, 'PT422', 'invalid-retention');
select throws_ok($$ select nofx.set_retention(null, 30) $$, 'PT422', 'invalid-retention');
select is_empty('select from nofx.retention where tenant_id = current_setting($$tap.tenant$$)::uuid', 'nothing was written');
select nofx.set_retention('runs', 1), nofx.set_retention('events', 3650), nofx.set_retention('runs', null);
select is((select array_agg(what || ' ' || coalesce(days::text, 'forever') order by what) from nofx.retention where tenant_id = current_setting('tap.tenant')::uuid),
  array['runs forever', 'events 3650']);
select is((select array_agg(action || ' ' || target order by seq) from nofx.audit_log where tenant_id = current_setting('tap.tenant')::uuid),
  array['retention.set runs', 'retention.set events', 'retention.set runs']);
select is((select tap.opened(p.audit_id, p.sealed)::jsonb from nofx.audit_payload p join nofx.audit_log l on l.id = p.audit_id where l.tenant_id = current_setting('tap.tenant')::uuid order by l.seq desc limit 1),
  '{"before": {"what": "runs", "days": 1}, "after": {"what": "runs"}}');
select throws_ok($$ insert into nofx.retention values (current_setting('tap.tenant')::uuid, 'alerts', 0) $$, '23514', null, 'nor can the table have another');
select * from finish();
rollback;

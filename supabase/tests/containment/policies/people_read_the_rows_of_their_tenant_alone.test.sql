begin;
select plan(4);
select tap.tenant();
select tap.run_of('loose', 1);
insert into nofx.handler_health (tenant_id, target) values (current_setting('tap.tenant')::uuid, 'noop');
insert into nofx.step_dlq (id, tenant_id, run_id, step_id, name, tool, reason, attempts, error, inputs, evidence)
values (tap.step('s0'), current_setting('tap.tenant')::uuid, tap.run(), tap.step('s0'), 's0', 'noop', 'poison', 1, '{}', '{}', '[]');
insert into nofx.alert_rule (tenant_id, kind) values (current_setting('tap.tenant')::uuid, 'queue_age');
insert into nofx.alert (id, tenant_id, kind, subject, value, threshold, link)
values (tap.step('s0'), current_setting('tap.tenant')::uuid, 'queue_age', 'normal', 2, 1, '/');
select is(tap.least_reader('nofx.handler_health'), 'viewer', 'handler_health');
select is(tap.least_reader('nofx.step_dlq'), 'viewer', 'step_dlq');
select is(tap.least_reader('nofx.alert_rule'), 'viewer', 'alert_rule');
select is(tap.least_reader('nofx.alert'), 'viewer', 'alert');
select * from finish();
rollback;

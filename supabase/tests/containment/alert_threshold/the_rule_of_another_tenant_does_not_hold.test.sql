-- supabase/tests/containment/alert_threshold/the_rule_of_another_tenant_does_not_hold.test.sql
begin;
select plan(2);
select tap.tenant();
select tap.be('supervisor');
select nofx.set_alert_rule('queue_latency', 7);
select is(nofx_private.alert_threshold(current_setting('tap.tenant')::uuid, 'queue_latency'), 7::double precision);
select tap.tenant();
select is(nofx_private.alert_threshold(current_setting('tap.tenant')::uuid, 'queue_latency'), 60::double precision);
select * from finish();
rollback;

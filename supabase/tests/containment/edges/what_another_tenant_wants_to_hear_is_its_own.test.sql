begin;
select plan(1);
select tap.tenant();
select tap.be('supervisor');
select nofx.set_alert_rule('queue_depth', 7);
select tap.tenant();
select is(nofx_private.alert_threshold(current_setting('tap.tenant')::uuid, 'queue_depth'), 10000::double precision);
select * from finish();
rollback;

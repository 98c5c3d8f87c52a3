begin;
select plan(2);
select tap.tenant();
insert into nofx.handler_health (tenant_id, target, failed, window_began_at) values (current_setting('tap.tenant')::uuid, 'x', 4, now() - interval '61 seconds');
select is((nofx_private.record_results(array[row (current_setting('tap.tenant')::uuid, 'x', 1, 0, 'e')::nofx_private.result])).open, null);
select is((select failed from nofx.handler_health), 1);
select * from finish();
rollback;

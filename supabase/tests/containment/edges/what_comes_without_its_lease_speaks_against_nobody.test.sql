begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
select is((nofx_private.note_health(array[jsonb_populate_record(null::nofx_private.outcome, tap.outcome('s0', 'failed', '{"transient": true, "token": "00000000-0000-0000-0000-00000000000a"}'))])).open, null);
select is_empty($$ select from nofx.handler_health where tenant_id = current_setting('tap.tenant')::uuid $$);
select * from finish();
rollback;

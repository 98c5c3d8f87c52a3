begin;
select plan(7);
select tap.tenant();
select is(has_function_privilege('authenticated', 'nofx_private.broadcast_events()', 'execute'), false, 'people cannot call it');
select nofx_private.emit(array[row (current_setting('tap.tenant'), null, null, 'unheard', '{}')::nofx_private.new_event]);
select is((select count(*) from realtime.messages where topic = 'tenant:' || current_setting('tap.tenant')), 0::bigint, 'nothing is written while no socket is open');
-- As hosted Supabase has it.
create function realtime.send(payload jsonb, event text, topic text, private boolean) returns void language sql as $$
  insert into realtime.messages (payload, event, topic, private, extension) values (payload, event, topic, private, 'said')
$$;
select nofx_private.emit(array[row (current_setting('tap.tenant'), null, null, 'one', '{}')::nofx_private.new_event,
  row (current_setting('tap.tenant'), null, null, 'two', '{}')::nofx_private.new_event]);
select results_eq(
  $$ select event, private, jsonb_path_query_array(payload, '$.events[*].type')::text from realtime.messages where topic = 'tenant:' || current_setting('tap.tenant') $$,
  $$ values ('events', true, '["one", "two"]') $$, 'one message for both events of a statement');
select set_config('realtime.topic', 'tenant:' || current_setting('tap.tenant'), true);
insert into realtime.messages (topic, extension, payload, event, private) values ('tenant:' || current_setting('tap.tenant'), 'broadcast', '{}', 'events', true);
-- The role that reads has no rights to pgTAP.
create temporary table seen (what text, messages bigint);
grant insert on seen to authenticated;
set local role authenticated;
insert into seen select 'own', count(*) from realtime.messages;
select set_config('realtime.topic', 'tenant:' || gen_random_uuid(), true);
insert into seen select 'other topic', count(*) from realtime.messages;
reset role;
select tap.be('viewer', gen_random_uuid());
select set_config('realtime.topic', 'tenant:' || current_setting('tap.tenant'), true);
set local role authenticated;
insert into seen select 'other tenant', count(*) from realtime.messages;
reset role;
select is((select messages from seen where what = 'own'), 1::bigint, 'members of the tenant can read its topic');
select is((select messages from seen where what = 'other topic'), 0::bigint, 'and no other topic');
select is((select messages from seen where what = 'other tenant'), 0::bigint, 'members of another tenant cannot');
select trigger_is('nofx', 'event', 'broadcast', 'nofx_private', 'broadcast_events');
select * from finish();
rollback;

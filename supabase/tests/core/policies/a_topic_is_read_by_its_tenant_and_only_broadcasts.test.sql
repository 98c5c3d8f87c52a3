begin;
select plan(2);
select tap.tenant();
insert into realtime.messages (topic, extension) values ('t', 'broadcast'), ('t', 'presence');
select set_config('realtime.topic', 'tenant:' || current_setting('tap.tenant')::uuid, true);
select is(tap.least_reader('realtime.messages', 'authenticated'), 'viewer');
select is(array(select tap.seen($$ select extension from realtime.messages where topic = 't' $$, 'authenticated')), array['broadcast']);
select * from finish();
rollback;

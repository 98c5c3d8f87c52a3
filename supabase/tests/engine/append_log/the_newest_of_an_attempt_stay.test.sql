begin;
select plan(5);
select tap.tenant();
select tap.run_of('loose', 2);
select tap.claim();
select tap.be_service();
create function pg_temp.append(p_step text, p_at bigint, p_text text) returns boolean language sql as
  $$ select nofx.append_log(id, lease_token, p_at, p_text) from nofx.step where id = tap.step(p_step) $$;
create function pg_temp.stored(p_step text) returns text language sql as
  $$ select string_agg(at_byte::text, ' ' order by at_byte) from nofx.step_log where step_id = tap.step(p_step) $$;
select pg_temp.append('s1', 0, 'of another step'), pg_temp.append('s0', 0, 'ten bytes.'), pg_temp.append('s0', 10, 'ten more .');
insert into nofx.step_log (step_id, tenant_id, attempt, at_byte, text) select id, tenant_id, 7, 0, 'of another attempt' from nofx.step where id = tap.step('s0');
select ok(pg_temp.append('s0', 4194307, '1234567'), 'a log may have more than 4 MiB');
select is(pg_temp.stored('s0'), '0 0 10 4194307', 'the first chunk ends 4 MiB before the end of the last');
select ok(pg_temp.append('s0', 4194314, 'x'));
select is(pg_temp.stored('s0'), '0 10 4194307 4194314', 'one byte more and it is deleted');
select is(pg_temp.stored('s1'), '0', 'other logs stay');
select * from finish();
rollback;

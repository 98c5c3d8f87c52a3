begin;
select plan(4);
select tap.tenant();
select tap.run_of('loose', 2, '{"tool": "bash"}');
select tap.claim();
create function pg_temp.pin(p_name text, p_mark text) returns text language sql as $$
  select nofx.pin_workspace(id, lease_token, repeat(p_mark, 40), repeat(p_mark, 40)) from nofx.step where id = tap.step(p_name)
$$;
select is(nofx.pin_workspace(tap.step('s0'), gen_random_uuid(), repeat('1', 40), repeat('1', 40)), null, 'without its lease it pins nothing');
select is(pg_temp.pin('s0', 'a'), repeat('a', 40));
select is(pg_temp.pin('s1', 'b'), repeat('a', 40), 'a later one is told what it is');
select tap.be('admin');
select throws_ok($$ select nofx.pin_workspace(tap.step('s0'), gen_random_uuid(), 'x', 'x') $$, 'PT403', 'forbidden');
select * from finish();
rollback;

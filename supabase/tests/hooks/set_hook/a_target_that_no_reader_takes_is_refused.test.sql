begin;
select plan(3);
select tap.tenant();
select tap.be('admin');
create function pg_temp.set(p_inputs jsonb) returns text language sql as $$
  select format('select nofx.set_hook(%L, %L, %L, %L)', 'x', 'post', '', jsonb_build_object('kind', 'tool', 'tool', 'noop', 'inputs', p_inputs))
$$;
select throws_ok(pg_temp.set((repeat('[', 80) || '1' || repeat(']', 80))::jsonb), 'PT422', 'invalid-hook', 'deep');
select throws_ok(pg_temp.set(to_jsonb(repeat('x', 300000))), 'PT422', 'invalid-hook', 'huge');
select lives_ok(pg_temp.set('{"a": [1]}'));
select * from finish();
rollback;

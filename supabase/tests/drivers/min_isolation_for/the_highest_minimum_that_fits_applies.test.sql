begin;
select plan(9);
create function pg_temp.least(p_min text, p_tools jsonb, p_tool text) returns text language sql as $$
  select nofx_private.min_isolation_for(row (gen_random_uuid(), null, p_min, p_tools, '{}', null, 'a', now())::nofx.isolation, p_tool)::text
$$;
select is(pg_temp.least(null, '{}', 'bash'), null);
select is(pg_temp.least('L2', '{}', 'bash'), 'L2');
select is(pg_temp.least('L2', '{"bash": "L3"}', 'bash'), 'L3');
select is(pg_temp.least('L3', '{"bash": "L1"}', 'bash'), 'L3', 'a tool cannot lower the minimum of all');
select is(pg_temp.least(null, '{"bash": "L3"}', 'http'), null, 'of another tool');
select is(pg_temp.least(null, '{"gate:*": "L3", "gate:unit": "L2"}', 'gate:unit'), 'L3', 'all that fit apply');
select is(pg_temp.least(null, '{"gate:*": "L1", "gate:unit": "L4"}', 'gate:unit'), 'L4');
select is(pg_temp.least(null, '{"gate:u*": "L3"}', 'gate:lint'), null);
select is(pg_temp.least(null, '{"bash": "L3"}', 'bash:x'), null, 'a name is no prefix');
select * from finish();
rollback;

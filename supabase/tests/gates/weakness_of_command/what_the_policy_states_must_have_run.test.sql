begin;
select plan(4);
create function pg_temp.weak(p_more jsonb, p_required jsonb) returns text language sql as $$
  select nofx_private.weakness_of_command(tap.asked(p_more), '{"gate": "gate:lint"}'::jsonb || p_required)
$$;
select is(pg_temp.weak('{"command": "make lint", "is_known": false, "report": "r.json", "format": "eslint"}',
  '{"command": "make lint", "report": "r.json", "format": "eslint"}'), null);
select is(pg_temp.weak('{"command": "make lint", "is_known": false, "report": "other.json"}', '{"command": "make lint", "report": "r.json"}'),
  'report: `other.json`, not `r.json`');
select is(pg_temp.weak('{"command": "anything", "is_known": false, "report": "x", "unjudged": ["go.mod"]}', '{"command": "*"}'), null);
select is(pg_temp.weak('{"cwd": "anywhere"}', '{"cwd": "*"}'), null);
select * from finish();
rollback;

begin;
select plan(6);
create function pg_temp.weak(p_more jsonb, p_gate text default 'gate:unit') returns text language sql as $$
  select nofx_private.weakness(tap.asked('{"verdict": "not_applicable", "command": null, "is_known": false, "tests": null, "of_kind": [], "base_from": "remote"}'::jsonb
    || p_more), jsonb_build_object('gate', p_gate))
$$;
select is(pg_temp.weak('{}'), null, 'nothing of its kind is in the repository');
select is(pg_temp.weak('{"of_kind": ["src/a.py"]}'), 'of_kind: `src/a.py` is of a kind that the gate judges');
select is(pg_temp.weak('{"of_kind": null}'), 'of_kind: nothing is of a kind that the gate judges', 'who did not look has no evidence');
select is(pg_temp.weak('{"base_from": "workspace"}'), 'base_from: the base was not read from the plan''s repository');
select is(pg_temp.weak('{"exclude": ["**"]}', 'gate:coverage'), 'exclude: `**` is not allowed');
select is(pg_temp.weak('{"verdict": "inconclusive"}'), 'verdict: it is neither pass nor not_applicable');
select * from finish();
rollback;

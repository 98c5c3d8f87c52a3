begin;
select plan(4);
select is(nofx_private.requirements_fault('["gate:unit", {"gate": "gate:coverage", "threshold": 80, "base": "next", "exclude": ["gen/"], "fail_on": null},
  {"gate": "gate:lint", "command": "make lint", "cwd": "web", "report": "r.json", "format": "eslint", "fail_on": "warning", "env": ["CI"], "images": null}]'), null);
select is((select count(*)::int from jsonb_array_elements('["x", 1, null, [], "gate:Unit", {"gate": 1}, {"gate": "unit"}, {}, {"gate": "gate:unit", "more": 1},
  {"gate": "gate:unit", "command": 1}, {"gate": "gate:unit", "command": ["true"]}, {"gate": "gate:unit", "min_tests": "1"}, {"gate": "gate:unit", "min_tests": -1},
  {"gate": "gate:unit", "min_tests": 1.5}, {"gate": "gate:coverage", "threshold": "90"}, {"gate": "gate:coverage", "threshold": 101},
  {"gate": "gate:unit", "threshold": 90}, {"gate": "gate:unit", "base": "x"}, {"gate": "gate:lint", "fail_on": "ERROR"}, {"gate": "gate:lint", "fail_on": ["error"]},
  {"gate": "gate:secrets", "exclude": "src/"}, {"gate": "gate:secrets", "exclude": [1]}, {"gate": "gate:audit", "accept": {"CVE-1": "x"}},
  {"gate": "gate:e2e_smoke"}, {"gate": "gate:unit", "env": [null]}]') as e (entry)
  where nofx_private.requirements_fault(jsonb_build_array(e.entry)) is null), 0);
select is((select array_agg(nofx_private.requirements_fault(v) is not null) from unnest(array['null', '{}', '"gate:unit"', '7']::jsonb[]) as v), '{t,t,t,t}');
select isnt(nofx_private.requirements_fault((select jsonb_agg('gate:unit'::text) from generate_series(1, 51))), null);
select * from finish();
rollback;

begin;
select plan(33);
create function pg_temp.weak(p_more jsonb, p_required jsonb default '{}', p_gate text default 'gate:unit') returns text language sql as $$
  select nofx_private.weakness(tap.asked(p_more), jsonb_build_object('gate', p_gate) || p_required)
$$;
create function pg_temp.cover(p_more jsonb, p_required jsonb default '{}') returns text language sql as $$
  select pg_temp.weak('{"threshold_milli": 90000, "is_measured": true, "base_from": "remote", "fail_on": null, "tests": null}'::jsonb || p_more, p_required, 'gate:coverage')
$$;
select is(pg_temp.weak('{}'), null, 'a known tool counts');
select is(pg_temp.weak('{"command": "true", "is_known": false}'), 'command: `true` is no tool that the gate chose itself');
select is(pg_temp.weak('{"command": "true", "is_known": false}', '{"command": "make test"}'), 'command: `true`, not `make test`');
select is(pg_temp.weak('{"command": "make test", "is_known": false}', '{"command": "make test"}'), null, 'the policy''s own command');
select is(pg_temp.weak('{"command": "true", "is_known": false}', '{"command": "*"}'), null, 'any command');
select is(pg_temp.weak('{"cwd": "tiny"}'), 'cwd: it ran in `tiny`, not in the root folder');
select is(pg_temp.weak('{"cwd": "web"}', '{"cwd": "web"}'), null);
select is(pg_temp.weak('{}', '{"cwd": "web"}'), 'cwd: it ran in the root folder, not in `web`');
select is(pg_temp.weak('{"tests": 0}'), 'min_tests: 0 tests ran, at least 1 must');
select is(pg_temp.weak('{"tests": null}', '{"command": "*"}'), 'min_tests: 0 tests ran, at least 1 must', 'whatever the command is');
select is(pg_temp.weak('{"tests": 99}', '{"min_tests": 100}'), 'min_tests: 99 tests ran, at least 100 must');
select is(pg_temp.weak('{"tests": null}', '{}', 'gate:lint'), null);
select is(pg_temp.weak('{"fail_on": "error"}', '{"fail_on": "warning"}', 'gate:lint'), 'fail_on: error, findings from warning on must fail it');
select is(pg_temp.weak('{"fail_on": "info"}', '{"fail_on": "warning"}', 'gate:lint'), null, 'stricter is not weaker');
select is(pg_temp.weak('{"fail_on": "error"}', '{}', 'gate:audit'), 'fail_on: error, findings from warning on must fail it', 'audit asks warning by default');
select is(pg_temp.weak('{"fail_on": "never"}', '{}', 'gate:lint'), 'fail_on: `never` is no severity');
select is(pg_temp.weak('{"fail_on": "Error"}', '{"fail_on": "info"}', 'gate:lint'), 'fail_on: `Error` is no severity');
select is(pg_temp.weak('{"accept": ["CVE-1", "CVE-2"]}', '{"accept": ["CVE-1"], "fail_on": "error"}', 'gate:audit'), 'accept: `CVE-2` is not allowed');
select is(pg_temp.weak('{"exclude": ["src/"], "fail_on": null}', '{}', 'gate:secrets'), 'exclude: `src/` is not allowed');
select is(pg_temp.weak('{"report": "old.xml"}'), 'report: `old.xml`, not the tool''s own');
select is(pg_temp.weak('{"format": "text"}'), 'format: `text`, not the tool''s own');
select is(pg_temp.weak('{"unjudged": ["pyproject.toml"]}'), 'unjudged: `pyproject.toml` is a project, too; state `command` in the policy');
select is(pg_temp.weak('{"env": ["CI", "PATH"]}', '{"env": ["CI"]}'), 'env: `PATH` is not allowed');
select is(pg_temp.weak('{"image": "mine"}'), 'images: it ran in `mine`');
select is(pg_temp.weak('{"image": "mine"}', '{"images": ["mine"]}'), null);
select is(pg_temp.cover('{}'), null);
select is(pg_temp.cover('{"threshold_milli": 0, "exclude": ["**"]}'), 'exclude: `**` is not allowed; threshold: 0 is below 90');
select is(pg_temp.cover('{"threshold_milli": 50000}', '{"threshold": 50}'), null);
select is(pg_temp.cover('{"is_measured": false}'), 'is_measured: the reports were there before the gate began');
select is(pg_temp.cover('{"base": "HEAD"}'), 'base: compared with `HEAD`, not with the default branch');
select is(pg_temp.cover('{"base": "next"}', '{"base": "next"}'), null);
select is(pg_temp.cover('{"base_from": "workspace"}'), 'base_from: the base was not read from the plan''s repository');
select is(pg_temp.weak('{"cwd": "a", "tests": 0}'), 'cwd: it ran in `a`, not in the root folder; min_tests: 0 tests ran, at least 1 must', 'all of them are told');
select * from finish();
rollback;

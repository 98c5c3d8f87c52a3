begin;
select plan(16);
select tap.tenant();
create function pg_temp.be(p_who text, p_role text default 'admin') returns void language sql as $$
  select set_config('request.jwt.claims', json_build_object('role', 'authenticated', 'sub', p_who, 'app_metadata',
    json_build_object('tenant_id', current_setting('tap.tenant'), 'nofx_role', p_role))::text, true)
$$;
select pg_temp.be('ann');
create temporary table one as select nofx.create_api_key('one', 'admin', 'hash 1', 'nofx_1') as id;
create temporary table two as select nofx.create_api_key('two', 'admin', 'hash 2', 'nofx_2') as id;
create function pg_temp.decide(p_decision text) returns text language sql as $$
  select nofx.decide_gate(id, p_decision, 'because') ->> 'status' from nofx.gate where run_id = tap.run()
$$;
create function pg_temp.waits() returns boolean language sql as $$ select nofx.waits_for_me(g) from nofx.gate g where run_id = tap.run() $$;
-- A key of ann's submits; the step needs two other people.
select pg_temp.be('key:' || id, 'contributor') from one;
select tap.submit('[{"name": "a", "tool": "bash", "spec": {"approval": {"count": 2}}}]');
select tap.claim(), tap.settle('a', 'gate', '{"gate": {"gate_type": "manual:approval"}}');
select pg_temp.be('ann');
select throws_ok($$ select pg_temp.decide('approve') $$, 'PT403', 'self-approval', 'the author is the maker of the key');
select ok(not pg_temp.waits());
select pg_temp.be('key:' || id) from two;
select throws_ok($$ select pg_temp.decide('approve') $$, 'PT403', 'forbidden', 'a key does not approve');
select throws_ok($$ select pg_temp.decide('waive') $$, 'PT403', 'forbidden', 'nor waive');
select ok(not pg_temp.waits(), 'nor is it asked');
update nofx.gate set keys_may_approve = true where run_id = tap.run();
select throws_ok($$ select pg_temp.decide('approve') $$, 'PT403', 'self-approval', 'where keys may, it is still its maker');
-- Bob and a key of his are one person.
select pg_temp.be('bob');
create temporary table bobs as select nofx.create_api_key('bob''s', 'admin', 'hash 3', 'nofx_3') as id;
select is(pg_temp.decide('approve'), 'pending');
select pg_temp.be('key:' || id) from bobs;
select throws_ok($$ select pg_temp.decide('approve') $$, 'PT409', 'already-approved');
select ok(not pg_temp.waits());
select pg_temp.be('carol');
create temporary table carols as select nofx.create_api_key('carol''s', 'admin', 'hash 4', 'nofx_4') as id;
select pg_temp.be('key:' || id) from carols;
select is(pg_temp.decide('approve'), 'passed');
select results_eq('select by, key_id from nofx.gate_decision order by id', $$ select 'bob', null::uuid union all select 'carol', id from carols $$,
  'the person is recorded, and the key');
select is((select decided_by from nofx.gate where run_id = tap.run()), 'carol');
-- A key may always say no.
select tap.submit('[{"name": "a", "tool": "bash", "spec": {"approval": {"count": 1}}}]');
select tap.claim(), tap.settle('a', 'gate', '{"gate": {"gate_type": "manual:approval"}}');
-- The service role decides for people alone.
select tap.be_service();
select throws_ok($$ select pg_temp.decide('approve') $$, 'PT403', 'forbidden', 'the service is nobody');
select set_config('request.headers', json_build_object('x-nofx-actor', 'key:' || id)::text, true) from carols;
select throws_ok($$ select pg_temp.decide('approve') $$, 'PT403', 'forbidden', 'nor a person when it acts for a key');
select set_config('request.headers', '{"x-nofx-actor": "carol"}', true);
select throws_ok($$ select pg_temp.decide('approve') $$, 'PT403', 'self-approval', 'and the author stays the author');
select set_config('request.headers', null, true), pg_temp.be('key:' || id) from bobs;
select tap.bring_key();
select is(pg_temp.decide('reject'), 'failed');
select * from finish();
rollback;

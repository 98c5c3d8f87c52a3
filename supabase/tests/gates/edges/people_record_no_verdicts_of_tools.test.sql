begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 1, '{"tool": "gate:unit"}');
select tap.claim();
select tap.be('admin');
select throws_ok($$ select nofx.record_gate(id, lease_token, true, 'e') from nofx.step where id = tap.step('s0') $$, 'PT403', 'forbidden');
select * from finish();
rollback;

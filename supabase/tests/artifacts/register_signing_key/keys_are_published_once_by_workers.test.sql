begin;
select plan(2);
select tap.tenant();
select throws_ok($$ select nofx.register_signing_key('{}') $$, 'PT403', 'forbidden');
select tap.be_service();
select nofx.register_signing_key(jsonb_build_object('kid', 'sha256:' || repeat('b', 64))), nofx.register_signing_key(jsonb_build_object('kid', 'sha256:' || repeat('b', 64)));
select is((select count(*)::int from nofx.signing_key where key_id = 'sha256:' || repeat('b', 64)), 1);
select * from finish();
rollback;

begin;
select plan(5);
select tap.tenant();
select nofx.record_sign_in();
select is((select count(*)::int from tap.seen('select email from nofx.person')), 0, 'a token without an address is ignored');
select set_config('request.jwt.claims', (current_setting('request.jwt.claims')::jsonb || '{"email": "ann@example.com"}')::text, true);
select nofx.record_sign_in();
select set_config('request.jwt.claims', (current_setting('request.jwt.claims')::jsonb || '{"email": "ann@example.org"}')::text, true);
select nofx.record_sign_in();
select tap.be('viewer');
select is(array(select tap.seen('select id || '' '' || email from nofx.person')), array['a contributor ann@example.org'], 'colleagues read the last address');
select throws_ok($$ select tap.seen('insert into nofx.person (tenant_id, id, email) values (gen_random_uuid(), ''x'', ''x@y'') returning id') $$, '42501',
  null, 'people cannot write addresses');
select tap.be('viewer', nofx_private.uuid_v7());
select is((select count(*)::int from tap.seen('select email from nofx.person')), 0, 'another tenant cannot read it');
select set_config('request.jwt.claims', '{"role": "authenticated", "sub": "x"}', true);
select throws_ok($$ select nofx.record_sign_in() $$, 'PT403', 'forbidden');
select * from finish();
rollback;

begin;
select plan(4);
select tap.tenant();
select throws_ok($$ select nofx.create_tenant(gen_random_uuid(), 'mine') $$, 'PT403', 'forbidden');
select tap.be_service();
select is(nofx.create_tenant('00000000-0000-0000-0000-00000000000a', 'a', 7), '00000000-0000-0000-0000-00000000000a'::uuid);
select is(nofx.create_tenant('00000000-0000-0000-0000-00000000000a', 'b', 9), '00000000-0000-0000-0000-00000000000a'::uuid, 'again returns it');
select results_eq($$ select name, what::text, days from nofx.tenant t join nofx.retention r on r.tenant_id = t.id where t.id = '00000000-0000-0000-0000-00000000000a' $$,
  $$ values ('a', 'events', 9) $$, 'the name stays, the days change');
select * from finish();
rollback;

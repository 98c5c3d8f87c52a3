begin;
select plan(4);
select tap.tenant();
select throws_ok($$ select nofx.read_secrets(current_setting('tap.tenant')::uuid, array['KEY']) $$, 'PT403', 'forbidden');
select vault.create_secret('one', current_setting('tap.tenant') || '/KEY'), vault.create_secret('two', current_setting('tap.tenant') || '/OTHER'),
  vault.create_secret('theirs', gen_random_uuid() || '/KEY');
select tap.be_service();
select is(nofx.read_secrets(current_setting('tap.tenant')::uuid, array['KEY', 'NONE'])::jsonb, '{"KEY": "one"}', 'the named secrets that exist');
select is(nofx.read_secrets(gen_random_uuid(), array['KEY'])::jsonb, '{}', 'nothing of another tenant');
select is(has_function_privilege('authenticated', 'nofx.read_secrets(uuid,text[])', 'execute'), false, 'people cannot call it');
select * from finish();
rollback;

begin;
select plan(5);
select tap.tenant();
select is(nofx_private.require_role('viewer'), current_setting('tap.tenant')::uuid, 'a higher role may');
select is(nofx_private.require_role('contributor'), current_setting('tap.tenant')::uuid, 'the same role may');
select throws_ok($$ select nofx_private.require_role('supervisor') $$, 'PT403', 'forbidden');
select set_config('request.jwt.claims', '{"role": "authenticated", "sub": "x"}', true);
select throws_ok($$ select nofx_private.require_role('viewer') $$, 'PT403', 'forbidden');
select set_config('request.jwt.claims', json_build_object('role', 'authenticated', 'sub', 'x', 'app_metadata',
  json_build_object('tenant_id', current_setting('tap.tenant')))::text, true);
select throws_ok($$ select nofx_private.require_role('viewer') $$, 'PT403', 'forbidden', 'a token without a role');
select * from finish();
rollback;

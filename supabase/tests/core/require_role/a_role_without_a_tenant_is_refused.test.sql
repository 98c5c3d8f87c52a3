begin;
select plan(1);
select set_config('request.jwt.claims', '{"role": "authenticated", "sub": "x", "app_metadata": {"nofx_role": "admin"}}', true);
select throws_ok($$ select nofx_private.require_role('viewer') $$, 'PT403', 'forbidden');
select * from finish();
rollback;

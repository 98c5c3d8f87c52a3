-- supabase/tests/core/caller_is_service/no_token_is_nobody.test.sql
begin;
select plan(3);
select set_config('request.jwt.claims', '', true);
select ok(not nofx_private.caller_is_service(), 'no token');
select set_config('request.jwt.claims', '{"sub": "x"}', true);
select ok(not nofx_private.caller_is_service(), 'a token without a role');
select tap.be_service();
select ok(nofx_private.caller_is_service());
select * from finish();
rollback;

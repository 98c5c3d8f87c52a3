begin;
select plan(2);
select is(nofx_private.request_header('x-request-id'), null);
select set_config('request.headers', '{"x-request-id": "r-1"}', true);
select is(nofx_private.request_header('x-request-id'), 'r-1');
select * from finish();
rollback;

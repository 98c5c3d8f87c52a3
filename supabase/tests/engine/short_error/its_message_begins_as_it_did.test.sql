begin;
select plan(2);
select is(nofx_private.short_error('{"kind": "k", "message": "abcdef", "details": [1]}', 3) - 'left_out', '{"kind": "k", "message": "abc"}');
select is(nofx_private.short_error('{}', 3) - 'left_out', '{"message": ""}');
select * from finish();
rollback;

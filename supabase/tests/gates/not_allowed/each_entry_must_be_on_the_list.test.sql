begin;
select plan(5);
select is(nofx_private.not_allowed('env', '{"env": ["A"]}', '["A", "B"]'), null);
select is(nofx_private.not_allowed('env', '{"env": ["A", "C"]}', '["A", "B"]'), 'env: `C` is not allowed');
select is(nofx_private.not_allowed('env', '{"env": ["A"]}', null), 'env: `A` is not allowed');
select is(nofx_private.not_allowed('env', '{"env": null}', null), null);
select is(nofx_private.not_allowed('env', '{"env": "A"}', '["A"]'), 'env: it is no list');
select * from finish();
rollback;

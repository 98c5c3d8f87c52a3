begin;
select plan(2);
select is(nofx_private.first_not_in(array['a', 'b'], array['b', 'a', 'c']), null);
select is(nofx_private.first_not_in(array['a', 'x'], array['a']), 'x');
select * from finish();
rollback;

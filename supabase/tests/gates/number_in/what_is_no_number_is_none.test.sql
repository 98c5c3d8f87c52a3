begin;
select plan(2);
select is(nofx_private.number_in('1.5'), 1.5);
select is((select count(nofx_private.number_in(v))::int from unnest(array['"1"', 'null', '[]', '{}', 'true']::jsonb[]) as v), 0);
select * from finish();
rollback;

begin;
select plan(12);
select is(nofx_private.is_number(v::jsonb, 1, 3), true, v) from unnest(array[null, 'null', '1', '3', '1.5']) as v;
select is(nofx_private.is_number(v::jsonb, 1, 3), false, v) from unnest(array['0.9', '3.1', '"2"', '[2]', '{}', 'true', '1e300']) as v;
select * from finish();
rollback;

begin;
select plan(13);
select is(nofx_private.is_whole(v::jsonb, 1, 3), true, v) from unnest(array[null, 'null', '1', '3', '2.0']) as v;
select is(nofx_private.is_whole(v::jsonb, 1, 3), false, v) from unnest(array['0', '4', '1.5', '"2"', '[2]', '{}', 'true', '1e300']) as v;
select * from finish();
rollback;

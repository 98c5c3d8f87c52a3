begin;
select plan(8);
select is(nofx_private.is_text(v::jsonb, 3), true, v) from unnest(array[null, 'null', '""', '"abc"']) as v;
select is(nofx_private.is_text(v::jsonb, 3), false, v) from unnest(array['"abcd"', '1', '["a"]', '{}']) as v;
select * from finish();
rollback;

begin;
select plan(10);
select is(nofx_private.is_list_of_texts(v::jsonb, 2), true, v) from unnest(array[null, '[]', '["a", "b"]']) as v;
select is(nofx_private.is_list_of_texts(v::jsonb, 2), false, v)
  from unnest(array['null', '"a"', '{"a": "b"}', '1', '["a", 1]', '[["a"]]', '["a", "b", "c"]']) as v;
select * from finish();
rollback;

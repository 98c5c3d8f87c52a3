begin;
select plan(1);
select is((select array_agg(what || ' ' || coalesce(nofx_private.default_retention(what)::text, 'forever') order by what) from unnest(enum_range(null::nofx.retained)) as what),
  array['runs forever', 'model_calls forever', 'artifacts forever', 'alerts 90', 'events 90']);
select * from finish();
rollback;

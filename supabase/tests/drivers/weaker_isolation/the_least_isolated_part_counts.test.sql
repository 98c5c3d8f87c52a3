begin;
select plan(10);
select is(nofx_private.weaker_isolation(a::jsonb, b::jsonb), c::jsonb, coalesce(a, '-') || ' ' || coalesce(b, '-'))
  from (values (null, null, null), ('{"level": "L2"}', null, '{"level": "L2"}'), (null, '{"level": "L3"}', '{"level": "L3"}'),
    ('{"level": "L2"}', '{"level": "L3"}', '{"level": "L2"}'), ('{"level": "L3"}', '{"level": "L2"}', '{"level": "L2"}'),
    ('{"level": "L1"}', '{"level": null, "driver": "x"}', '{"level": null, "driver": "x"}'),
    ('{"level": "L3"}', '{}', '{}'), ('{}', '{"level": null}', '{}'), ('{}', null, '{}'), ('{"level": null}', '{}', '{}')) as t (a, b, c);
select * from finish();
rollback;

begin;
select plan(3);
select is(nofx_private.weakness(null, '{"gate": "gate:unit"}'), 'verdict: it does not say what it was asked');
select is(nofx_private.weakness('[1]', '{"gate": "gate:unit"}'), 'verdict: it does not say what it was asked');
-- Each field as something else: nothing raises, and nothing counts that is not what it must be.
create temporary table odd as
select field, value from jsonb_object_keys(tap.asked()) as f (field),
  unnest(array['null', '1', '-1e300', '"x"', '"1"', '[]', '[1]', '[null]', '{}', '{"a": [1]}', 'true', '"%s %1$s"']::jsonb[]) as v (value);
select is((select count(*)::int from odd where nofx_private.weakness(tap.asked(jsonb_build_object(field, value)), jsonb_build_object('gate', gate) || more) = '')
  , 0) from (values ('gate:unit', '{}'::jsonb), ('gate:coverage', '{"threshold": 5, "exclude": ["x"]}')) as p (gate, more) limit 1;
select * from finish();
rollback;

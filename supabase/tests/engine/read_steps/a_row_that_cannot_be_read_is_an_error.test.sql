begin;
select plan(2);
select tap.tenant();
select tap.submit('[{"name": "a", "tool": "noop"}, {"name": "b", "tool": "noop"}]');
select is((select count(*)::int from json_array_elements(nofx_private.read_steps(array[tap.step('a'), tap.step('b')], null))), 2);
update nofx.step set spec = '{"refs": 1}' where id = tap.step('b');
select throws_ok(format('select nofx_private.read_steps(array[%L, %L]::uuid[], null)', tap.step('a'), tap.step('b')), '22023');
select * from finish();
rollback;

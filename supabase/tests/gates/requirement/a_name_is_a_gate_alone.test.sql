begin;
select plan(2);
select is(nofx_private.requirement('"gate:unit"'), '{"gate": "gate:unit"}');
select is(nofx_private.requirement('{"gate": "gate:unit", "cwd": "a"}'), '{"gate": "gate:unit", "cwd": "a"}');
select * from finish();
rollback;

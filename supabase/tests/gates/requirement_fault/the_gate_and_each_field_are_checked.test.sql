begin;
select plan(3);
select is(nofx_private.requirement_fault('"gate:unit"'), null);
select isnt(nofx_private.requirement_fault('"unit"'), null);
select isnt(nofx_private.requirement_fault('{"gate": "gate:unit", "treshold": 1}'), null);
select * from finish();
rollback;

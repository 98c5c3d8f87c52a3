begin;
select plan(3);
select tap.tickets();
select is(nofx_private.write_conditions('public.ticket', array['f'], '[]'), 'true');
select unalike(nofx_private.write_conditions('public.ticket', array['f'], '[{"column": "status", "op": "eq", "value": "x''; drop table public.ticket; --"}]'), '%drop%');
select throws_ok($$ select nofx_private.write_conditions('public.ticket', array['f'], '[{"column": "status", "op": "= 1 or", "value": 1}]') $$, 'PT422', 'invalid-write');
select * from finish();
rollback;

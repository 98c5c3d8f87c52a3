begin;
select plan(2);
select tap.tickets();
alter table public.ticket alter column note type jsonb using null;
select throws_ok(format('select tap.write(%L)', jsonb_build_object('op', 'update', 'filters', '[{"column": "id", "op": "eq", "value": 1}]'::jsonb,
  'rows', jsonb_build_array(jsonb_build_object('note', (repeat('[', 80) || '1' || repeat(']', 80))::jsonb)))), 'PT422', 'invalid-write');
select is((select note from public.ticket where id = 1), null, 'nothing was written');
select * from finish();
rollback;

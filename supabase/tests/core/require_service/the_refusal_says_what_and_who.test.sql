begin;
select plan(2);
select tap.tenant();
create temp table refusal (subject text, hint text);
do $$
declare
  v_subject text;
  v_hint text;
begin
  perform nofx_private.require_service('claim', 'Only workers claim steps.');
exception when sqlstate 'PT403' then
  get stacked diagnostics v_subject = pg_exception_detail, v_hint = pg_exception_hint;
  insert into refusal values (v_subject, v_hint);
end
$$;
select is((select subject from refusal), 'claim');
select is((select hint from refusal), 'Only workers claim steps.');
select * from finish();
rollback;

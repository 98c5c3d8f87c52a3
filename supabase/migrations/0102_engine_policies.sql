-- Everyone reads the rows of their own tenant; nobody writes a row except through the functions of this schema.
do $$
declare
  v_table text;
begin
  foreach v_table in array array['run', 'step', 'step_edge', 'step_attempt', 'doorbell'] loop
    execute format('alter table nofx.%I enable row level security', v_table);
    execute format('alter table nofx.%I force row level security', v_table);
    execute format('create policy own_tenant on nofx.%I for select to authenticated using (tenant_id = (select nofx_private.caller_tenant()))', v_table);
    execute format('grant select on nofx.%I to authenticated, service_role', v_table);
  end loop;
end
$$;

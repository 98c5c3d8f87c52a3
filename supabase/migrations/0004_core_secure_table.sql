-- Secures a table of tenants' rows: people read those of their own tenant through the API, and rows are written only through the functions of this schema.
-- Each migration that creates such a table calls it. A table with another condition has its policy written out.
-- Takes: p_table, with a column tenant_id; p_min_role, the minimum role of its readers, null for any; p_columns, the columns that people
--   may read, null for all; p_service, whether the service role may read it too.
-- Locks: the table.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.secure_table(
  p_table regclass, p_min_role nofx.person_role default null, p_columns text[] default null, p_service boolean default true
)
returns void
language plpgsql
set search_path = ''
as $$
declare
  -- Subqueries are evaluated once per statement, not once per row.
  v_condition text := 'tenant_id = (select nofx_private.caller_tenant())';
  v_columns text := (select '(' || string_agg(quote_ident(c), ', ') || ')' from unnest(p_columns) as c);
begin
  if p_min_role is not null then
    v_condition := v_condition || format(' and (select nofx_private.caller_role()) >= %L', p_min_role);
  end if;
  execute format('alter table %s enable row level security', p_table);
  execute format('alter table %s force row level security', p_table);
  execute format('create policy own_tenant on %s for select to nofx_api using (%s)', p_table, v_condition);
  execute format('grant select %s on %s to nofx_api', v_columns, p_table);
  if p_service then
    execute format('grant select on %s to service_role', p_table);
  end if;
end
$$;

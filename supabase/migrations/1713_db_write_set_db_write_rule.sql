-- Grants nofx_writer exactly the rights that the rules for a table allow.
-- Takes: p_table, schema.table.
-- Locks: the advisory lock 'nofx_grants' until the transaction ends (two grants in one schema change the same row of the catalogue);
--   the table's rights.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.grant_writes(p_table text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_table regclass := p_table::regclass;
  v_op text;
  v_columns text;
begin
  perform pg_advisory_xact_lock(hashtextextended('nofx_grants', 0));
  execute format('revoke all on %s from nofx_writer', v_table);
  select string_agg(distinct quote_ident(c), ', ') into v_columns
    from nofx.db_write_rule r, jsonb_array_elements_text((r.constraints -> 'columns') || coalesce(r.constraints -> 'read', '[]')) as c
   where r.table_name = p_table;
  if v_columns is null then
    return;
  end if;
  execute format('grant usage on schema %I to nofx_writer', (
    select n.nspname from pg_catalog.pg_class t join pg_catalog.pg_namespace n on n.oid = t.relnamespace where t.oid = v_table));
  execute format('grant select (%s) on %s to nofx_writer', v_columns, v_table);
  for v_op in select distinct case when o = 'upsert' then u else o end
                from nofx.db_write_rule r, unnest(r.allowed_ops) as o, unnest(array['insert', 'update']) as u
               where r.table_name = p_table loop
    if v_op = 'delete' then
      execute format('grant delete on %s to nofx_writer', v_table);
      continue;
    end if;
    select string_agg(distinct quote_ident(c), ', ') into v_columns
      from nofx.db_write_rule r, jsonb_array_elements_text(r.constraints -> 'columns') as c
     where r.table_name = p_table;
    execute format('grant %s (%s) on %s to nofx_writer', case v_op when 'insert' then 'insert' else 'update' end, v_columns, v_table);
  end loop;
end
$$;

-- Sets the rule for writes of a tenant's steps to a table, in place of an earlier one.
-- Takes: p_tenant; p_table, schema.table; p_ops, of insert, update, upsert and delete; p_constraints, {columns, read, rows,
--   required_filters, checks, max_rows} (see nofx.db_write_rule).
-- Locks: the rule; the table's rights.
-- Returns: the rule {id, tenant_id, table_name, allowed_ops, constraints}.
-- Raises: 403 forbidden when the caller is not the service role; 404 unknown-tenant; 422 invalid-db-write-rule.
create function nofx.set_db_write_rule(p_tenant uuid, p_table text, p_ops text[], p_constraints jsonb)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_table regclass;
  v_schema text;
  v_rule nofx.db_write_rule;
  v_bad text;
begin
  perform nofx_private.require_service('rule', 'Only operators set which tables steps may write to.');
  v_table := to_regclass(p_table);
  select n.nspname into v_schema from pg_catalog.pg_class t join pg_catalog.pg_namespace n on n.oid = t.relnamespace
   where t.oid = v_table and t.relkind in ('r', 'p');
  -- Plans never write to tables of NOFX, Supabase or Postgres itself.
  if v_schema is null
     or v_schema in ('nofx', 'nofx_private', 'observability', 'ops', 'auth', 'storage', 'realtime', 'vault', 'extensions', 'cron', 'net',
       'information_schema', 'supabase_migrations', 'supabase_functions', 'graphql', 'graphql_public', 'pgsodium')
     or v_schema like 'pg\_%' then
    perform nofx_private.refuse(422, 'invalid-db-write-rule', coalesce(p_table, 'no table'), 'Name a table of your own: schema.table.');
  end if;
  if not coalesce(p_ops <@ array['insert', 'update', 'upsert', 'delete'] and cardinality(p_ops) > 0, false) then
    perform nofx_private.refuse(422, 'invalid-db-write-rule', 'allowed_ops', 'Allow one or more of insert, update, upsert and delete.');
  end if;
  if not coalesce(jsonb_typeof(p_constraints) = 'object'
       and p_constraints - array['columns', 'read', 'rows', 'required_filters', 'checks', 'max_rows'] = '{}'
       and jsonb_typeof(p_constraints -> 'columns') = 'array' and jsonb_array_length(p_constraints -> 'columns') > 0
       and coalesce(p_constraints ->> 'max_rows', '1') ~ '^[1-9][0-9]{0,2}$|^1000$', false) then
    perform nofx_private.refuse(422, 'invalid-db-write-rule', 'constraints',
      'Set columns (at least one) and, if needed, read, rows, required_filters, checks and max_rows (1 to 1000).');
  end if;
  v_bad := nofx_private.first_not_in(
    array(select jsonb_array_elements_text((p_constraints -> 'columns') || coalesce(p_constraints -> 'read', '[]')
            || coalesce(p_constraints -> 'required_filters', '[]')))
      || array(select e ->> 'column'
                 from jsonb_array_elements(coalesce(p_constraints -> 'rows', '[]') || coalesce(p_constraints -> 'checks', '[]')) as e),
    array(select a.attname::text
            from pg_catalog.pg_attribute a
           where a.attrelid = v_table and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''));
  if v_bad is not null then
    perform nofx_private.refuse(422, 'invalid-db-write-rule', v_bad, format('%s has no such column.', v_table));
  end if;
  -- The writer must be able to read the columns of conditions.
  v_bad := nofx_private.first_not_in(
    array(select e ->> 'column'
            from jsonb_array_elements(coalesce(p_constraints -> 'rows', '[]') || coalesce(p_constraints -> 'checks', '[]')) as e)
      || array(select jsonb_array_elements_text(coalesce(p_constraints -> 'required_filters', '[]'))),
    array(select jsonb_array_elements_text((p_constraints -> 'columns') || coalesce(p_constraints -> 'read', '[]'))));
  if v_bad is not null then
    perform nofx_private.refuse(422, 'invalid-db-write-rule', v_bad, 'Add the column to columns or read.');
  end if;
  if exists (select from jsonb_array_elements(coalesce(p_constraints -> 'rows', '[]') || coalesce(p_constraints -> 'checks', '[]')) as e
              where coalesce(e ->> 'op', '') not in ('eq', 'neq', 'lt', 'lte', 'gt', 'gte', 'in', 'is_null', 'not_null')) then
    perform nofx_private.refuse(422, 'invalid-db-write-rule', 'op', 'Use eq, neq, lt, lte, gt, gte, in, is_null or not_null.');
  end if;
  begin
    insert into nofx.db_write_rule (id, tenant_id, table_name, allowed_ops, constraints)
    values (nofx_private.uuid_v7(), p_tenant, p_table, p_ops, p_constraints)
    on conflict (tenant_id, table_name) do update
      set allowed_ops = excluded.allowed_ops, constraints = excluded.constraints, changed_at = now()
    returning * into v_rule;
  exception when foreign_key_violation then
    perform nofx_private.refuse(404, 'unknown-tenant', p_tenant::text, 'Create the tenant first.');
  end;
  perform nofx_private.grant_writes(p_table);
  perform nofx_private.audit(p_tenant, 'db_write_rule.set', p_table, null,
    jsonb_build_object('allowed_ops', p_ops, 'constraints', p_constraints));
  return json_build_object('id', v_rule.id, 'tenant_id', v_rule.tenant_id, 'table_name', v_rule.table_name,
    'allowed_ops', v_rule.allowed_ops, 'constraints', v_rule.constraints);
end
$$;
grant execute on function nofx.set_db_write_rule(uuid, text, text[], jsonb) to service_role;

-- Deletes a rule for writes to a table.
-- Takes: p_id, the rule.
-- Locks: the rule; the table's rights.
-- Returns: nothing.
-- Raises: 403 forbidden when the caller is not the service role; 404 db-write-rule-not-found.
create function nofx.delete_db_write_rule(p_id uuid)
returns void
language plpgsql
security definer set search_path = ''
as $$
declare
  v_table text;
  v_tenant uuid;
begin
  perform nofx_private.require_service('rule', 'Only operators set which tables steps may write to.');
  delete from nofx.db_write_rule where id = p_id returning table_name, tenant_id into v_table, v_tenant;
  if not found then
    perform nofx_private.refuse(404, 'db-write-rule-not-found', p_id::text, 'List DB write rules with GET /api/db-write-rules.');
  end if;
  perform nofx_private.audit(v_tenant, 'db_write_rule.deleted', v_table, null, null);
  if to_regclass(v_table) is not null then
    perform nofx_private.grant_writes(v_table);
  end if;
end
$$;
grant execute on function nofx.delete_db_write_rule(uuid) to service_role;

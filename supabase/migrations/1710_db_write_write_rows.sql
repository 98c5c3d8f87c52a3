-- Builds SQL from conditions: names quoted by Postgres, values never in the text but read from the parameter $1.
-- Takes: p_table; p_alias, the row's alias in the query; p_path, the path of the conditions in $1; p_conditions,
--   [{column, op, value}] with columns that are known to exist.
-- Locks: nothing.
-- Returns: `true and …`.
-- Raises: 422 invalid-write when an operator is unknown.
create function nofx_private.write_conditions(p_table regclass, p_alias text, p_path text[], p_conditions jsonb)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_sql text := 'true';
  v_n int := 0;
  v_one jsonb;
  v_value text;
  v_column text;
begin
  for v_one in select jsonb_array_elements(coalesce(p_conditions, '[]')) loop
    v_column := format('%I.%I', p_alias, v_one ->> 'column');
    -- The value in the column's type.
    v_value := format('(jsonb_populate_record(null::%s, jsonb_build_object(%L, $1 #> %L))).%I',
      p_table, v_one ->> 'column', p_path || array[v_n::text, 'value'], v_one ->> 'column');
    v_sql := v_sql || ' and ' || case v_one ->> 'op'
      when 'eq' then v_column || ' = ' || v_value
      when 'neq' then v_column || ' <> ' || v_value
      when 'lt' then v_column || ' < ' || v_value
      when 'lte' then v_column || ' <= ' || v_value
      when 'gt' then v_column || ' > ' || v_value
      when 'gte' then v_column || ' >= ' || v_value
      when 'is_null' then v_column || ' is null'
      when 'not_null' then v_column || ' is not null'
      when 'in' then v_column || format(' in (select (jsonb_populate_record(null::%s, jsonb_build_object(%L, e))).%I from jsonb_array_elements($1 #> %L) as e)',
        p_table, v_one ->> 'column', v_one ->> 'column', p_path || array[v_n::text, 'value'])
    end;
    if v_sql is null then
      perform nofx_private.refuse(422, 'invalid-write', v_one ->> 'op', 'Filter with eq, neq, lt, lte, gt, gte, in, is_null or not_null.');
    end if;
    v_n := v_n + 1;
  end loop;
  return v_sql;
end
$$;

-- Writes rows of one table, as nofx_writer. The write was checked against its rule before (see check_write), and the owner has only
-- the rights that rules grant.
-- Takes: p_table; p_write, {op, rows: [{column: value}], filters, on_conflict}; p_rule, {see: columns to return, rows, checks, max_rows}.
-- Locks: the rows it changes.
-- Returns: {before: [row], after: [row]}, rows with the columns of `see`.
-- Raises: 422 write-not-allowed when a row would not match the rule, or there are too many rows; errors of the table.
create function nofx_private.write_rows(p_table regclass, p_write jsonb, p_rule jsonb)
returns jsonb
language plpgsql
security definer set search_path = ''
as $$
declare
  v_op text := p_write ->> 'op';
  v_all jsonb := jsonb_build_object('write', p_write, 'rule', p_rule);
  v_seen text;
  v_columns text;
  v_set text;
  v_where text;
  v_after_ok text;
  v_key text;
  v_sql text;
  v_before jsonb := '[]';
  v_after jsonb := '[]';
  v_allowed boolean;
begin
  select 'jsonb_build_object(' || string_agg(format('%L, t.%I', c, c), ', ' order by c) || ')' into v_seen
    from jsonb_array_elements_text(p_rule -> 'see') as c;
  select string_agg(format('%I', c), ', ' order by c), string_agg(format('%I = v.%I', c, c), ', ' order by c) into v_columns, v_set
    from (select distinct jsonb_object_keys(r) as c from jsonb_array_elements(p_write -> 'rows') as r) as named;
  v_where := nofx_private.write_conditions(p_table, 't', array['write', 'filters'], p_write -> 'filters')
    || ' and ' || nofx_private.write_conditions(p_table, 't', array['rule', 'rows'], p_rule -> 'rows');
  v_after_ok := nofx_private.write_conditions(p_table, 't', array['rule', 'rows'], p_rule -> 'rows')
    || ' and ' || nofx_private.write_conditions(p_table, 't', array['rule', 'checks'], p_rule -> 'checks');

  if v_op = 'delete' then
    execute format('with t as (delete from %s as t where %s returning %s) select coalesce(jsonb_agg(%s), ''[]'') from t', p_table, v_where,
      (select string_agg(format('t.%I', c), ', ') from jsonb_array_elements_text(p_rule -> 'see') as c), v_seen) into v_before using v_all;
    if jsonb_array_length(v_before) > (p_rule ->> 'max_rows')::int then
      perform nofx_private.refuse(422, 'write-not-allowed', p_table::text, format('The write would delete more than %s rows.', p_rule ->> 'max_rows'));
    end if;
    return jsonb_build_object('before', v_before, 'after', v_after);
  end if;
  if v_op = 'update' then
    execute format('select coalesce(jsonb_agg(x.seen), ''[]'') from (select %s as seen from %s as t where %s for update limit %s) as x',
      v_seen, p_table, v_where, (p_rule ->> 'max_rows')::int + 1) into v_before using v_all;
    if jsonb_array_length(v_before) > (p_rule ->> 'max_rows')::int then
      perform nofx_private.refuse(422, 'write-not-allowed', p_table::text, format('The write would change more than %s rows.', p_rule ->> 'max_rows'));
    end if;
  elsif v_op = 'upsert' then
    select string_agg(format('t.%I = v.%I', k, k), ' and ') into v_key from jsonb_array_elements_text(p_write -> 'on_conflict') as k;
    execute format('select coalesce(jsonb_agg(x.seen), ''[]'') from (select %s as seen from %s as t join jsonb_populate_recordset(null::%s, $1 #> ''{write,rows}'') as v on %s for update of t) as x',
      v_seen, p_table, p_table, v_key) into v_before using v_all;
  end if;

  v_sql := case v_op
    when 'insert' then format('insert into %1$s as t (%2$s) select %2$s from jsonb_populate_recordset(null::%1$s, $1 #> ''{write,rows}'')', p_table, v_columns)
    when 'upsert' then format('insert into %1$s as t (%2$s) select %2$s from jsonb_populate_recordset(null::%1$s, $1 #> ''{write,rows}'')'
      || ' on conflict (%3$s) do update set %4$s where %5$s', p_table, v_columns,
      (select string_agg(format('%I', k), ', ') from jsonb_array_elements_text(p_write -> 'on_conflict') as k),
      (select string_agg(format('%1$I = excluded.%1$I', c), ', ') from (select distinct jsonb_object_keys(r) as c from jsonb_array_elements(p_write -> 'rows') as r) as n),
      nofx_private.write_conditions(p_table, 't', array['rule', 'rows'], p_rule -> 'rows'))
    when 'update' then format('update %1$s as t set %2$s from jsonb_populate_record(null::%1$s, $1 #> ''{write,rows,0}'') as v where %3$s', p_table, v_set, v_where) end;
  execute format('with t as (%s returning %s) select coalesce(jsonb_agg(%s), ''[]''), coalesce(bool_and(coalesce(%s, false)), true) from t',
    v_sql, (select string_agg(format('t.%I', c), ', ') from jsonb_array_elements_text(p_rule -> 'see') as c), v_seen, v_after_ok)
    into v_after, v_allowed using v_all;
  if not v_allowed then
    perform nofx_private.refuse(422, 'write-not-allowed', p_table::text, 'A row would not match the rule after the write.');
  end if;
  if v_op in ('insert', 'upsert') and jsonb_array_length(v_after) <> jsonb_array_length(p_write -> 'rows') then
    perform nofx_private.refuse(422, 'write-not-allowed', p_table::text, 'An existing row does not match the rule.');
  end if;
  return jsonb_build_object('before', v_before, 'after', v_after);
end
$$;

-- These functions run as nofx_writer, which needs nothing else of the schema.
grant usage, create on schema nofx_private to nofx_writer;
alter function nofx_private.write_conditions(regclass, text, text[], jsonb) owner to nofx_writer;
alter function nofx_private.write_rows(regclass, jsonb, jsonb) owner to nofx_writer;
revoke create on schema nofx_private from nofx_writer;
grant execute on function nofx_private.refuse(int, text, text, text) to nofx_writer;
revoke execute on function nofx_private.write_rows(regclass, jsonb, jsonb), nofx_private.write_conditions(regclass, text, text[], jsonb) from public;
do $$
begin
  execute format('grant execute on function nofx_private.write_rows(regclass, jsonb, jsonb), nofx_private.write_conditions(regclass, text, text[], jsonb) to %I', current_user);
end
$$;

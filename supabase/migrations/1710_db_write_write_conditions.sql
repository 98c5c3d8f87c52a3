-- Writes out column names for a statement, quoted by Postgres.
-- Takes: p_columns; p_template, how format() writes one of them: `t.%I`, `%1$I = v.%1$I`; p_separator.
-- Locks: nothing.
-- Returns: the text; null for no columns.
-- Raises: nothing.
create function nofx_private.format_columns(p_columns text[], p_template text, p_separator text default ', ')
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  return (select string_agg(format(p_template, c), p_separator order by c) from unnest(p_columns) as c);
end
$$;

-- Builds SQL from conditions on the row `t`: names quoted by Postgres, values never in the text but read from the parameter $1.
-- Takes: p_table; p_path, the path of the conditions in $1; p_conditions, [{column, op, value}] with columns that are known to exist.
-- Locks: nothing.
-- Returns: `true and …`.
-- Raises: 422 invalid-write when an operator is unknown.
create function nofx_private.write_conditions(p_table regclass, p_path text[], p_conditions jsonb)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_sql text := 'true';
  v_n int := 0;
  v_one jsonb;
  v_name text;
  v_column text;
  v_value text;
  v_in text;
begin
  for v_one in select jsonb_array_elements(coalesce(p_conditions, '[]')) loop
    v_name := v_one ->> 'column';
    v_column := format('t.%I', v_name);
    -- The value in the column's type.
    v_value := format('(jsonb_populate_record(null::%s, jsonb_build_object(%L, $1 #> %L))).%I',
      p_table, v_name, p_path || array[v_n::text, 'value'], v_name);
    v_in := format('(select (jsonb_populate_record(null::%s, jsonb_build_object(%L, e))).%I from jsonb_array_elements($1 #> %L) as e)',
      p_table, v_name, v_name, p_path || array[v_n::text, 'value']);
    v_sql := v_sql || ' and ' || case v_one ->> 'op'
      when 'eq' then v_column || ' = ' || v_value
      when 'neq' then v_column || ' <> ' || v_value
      when 'lt' then v_column || ' < ' || v_value
      when 'lte' then v_column || ' <= ' || v_value
      when 'gt' then v_column || ' > ' || v_value
      when 'gte' then v_column || ' >= ' || v_value
      when 'is_null' then v_column || ' is null'
      when 'not_null' then v_column || ' is not null'
      when 'in' then v_column || ' in ' || v_in
    end;
    if v_sql is null then
      perform nofx_private.refuse(422, 'invalid-write', v_one ->> 'op',
        'Filter with eq, neq, lt, lte, gt, gte, in, is_null or not_null.');
    end if;
    v_n := v_n + 1;
  end loop;
  return v_sql;
end
$$;

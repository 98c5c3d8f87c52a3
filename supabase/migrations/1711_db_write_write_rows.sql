-- The statements of `db_write`, the only ones that are built from a plan: names come from the rule and are quoted by Postgres, values stay
-- in the parameter $1, {write, rule}. All functions here run as nofx_writer, which has only the rights that rules grant.

-- Inserts rows.
-- Takes: p_table; p_write, {rows: [{column: value}]}; p_rule, {see: columns to return, rows, checks}.
-- Locks: the rows it inserts.
-- Returns: {before: [], after: [row]}, rows with the columns of `see`.
-- Raises: 422 write-not-allowed when a row would not match the rule; errors of the table.
create function nofx_private.insert_rows(p_table regclass, p_write jsonb, p_rule jsonb)
returns jsonb
language plpgsql
security definer set search_path = ''
as $$
declare
  v_columns text[] := array(select distinct jsonb_object_keys(r) from jsonb_array_elements(p_write -> 'rows') as r);
  v_see text[] := array(select jsonb_array_elements_text(p_rule -> 'see'));
  v_after jsonb;
  v_is_allowed boolean;
begin
  execute format($sql$
    with t as (
      insert into %1$s as t (%2$s)
      select %2$s from jsonb_populate_recordset(null::%1$s, $1 #> '{write,rows}')
      returning %3$s
    )
    select coalesce(jsonb_agg(jsonb_build_object(%4$s)), '[]'), coalesce(bool_and(coalesce(%5$s and %6$s, false)), true)
      from t
    $sql$, p_table,
    nofx_private.format_columns(v_columns, '%I'),
    nofx_private.format_columns(v_see, 't.%I'),
    nofx_private.format_columns(v_see, '%1$L, t.%1$I'),
    nofx_private.write_conditions(p_table, array['rule', 'rows'], p_rule -> 'rows'),
    nofx_private.write_conditions(p_table, array['rule', 'checks'], p_rule -> 'checks'))
  into v_after, v_is_allowed
  using jsonb_build_object('write', p_write, 'rule', p_rule);
  if not v_is_allowed then
    perform nofx_private.refuse(422, 'write-not-allowed', p_table::text, 'A row would not match the rule after the write.');
  end if;
  return jsonb_build_object('before', '[]'::jsonb, 'after', v_after);
end
$$;

-- Updates rows.
-- Takes: p_table; p_write, {rows: [{column: value}], one, filters}; p_rule, {see: columns to return, rows, checks, max_rows}.
-- Locks: the rows it updates.
-- Returns: {before: [row], after: [row]}, rows with the columns of `see`.
-- Raises: 422 write-not-allowed when a row would not match the rule, or there are too many rows; errors of the table.
create function nofx_private.update_rows(p_table regclass, p_write jsonb, p_rule jsonb)
returns jsonb
language plpgsql
security definer set search_path = ''
as $$
declare
  v_columns text[] := array(select distinct jsonb_object_keys(r) from jsonb_array_elements(p_write -> 'rows') as r);
  v_see text[] := array(select jsonb_array_elements_text(p_rule -> 'see'));
  v_given jsonb := jsonb_build_object('write', p_write, 'rule', p_rule);
  v_rows text := nofx_private.write_conditions(p_table, array['rule', 'rows'], p_rule -> 'rows');
  v_filters text := nofx_private.write_conditions(p_table, array['write', 'filters'], p_write -> 'filters');
  v_before jsonb;
  v_after jsonb;
  v_is_allowed boolean;
begin
  execute format($sql$
    select coalesce(jsonb_agg(seen.row), '[]')
      from (select jsonb_build_object(%2$s) as row from %1$s as t where %3$s and %4$s for update limit %5$s) as seen
    $sql$, p_table, nofx_private.format_columns(v_see, '%1$L, t.%1$I'), v_filters, v_rows, (p_rule ->> 'max_rows')::int + 1)
  into v_before
  using v_given;
  if jsonb_array_length(v_before) > (p_rule ->> 'max_rows')::int then
    perform nofx_private.refuse(422, 'write-not-allowed', p_table::text,
      format('The write would change more than %s rows.', p_rule ->> 'max_rows'));
  end if;
  execute format($sql$
    with t as (
      update %1$s as t
         set %2$s
        from jsonb_populate_record(null::%1$s, $1 #> '{write,rows,0}') as v
       where %3$s and %4$s
      returning %5$s
    )
    select coalesce(jsonb_agg(jsonb_build_object(%6$s)), '[]'), coalesce(bool_and(coalesce(%4$s and %7$s, false)), true)
      from t
    $sql$, p_table,
    nofx_private.format_columns(v_columns, '%1$I = v.%1$I'),
    v_filters, v_rows,
    nofx_private.format_columns(v_see, 't.%I'),
    nofx_private.format_columns(v_see, '%1$L, t.%1$I'),
    nofx_private.write_conditions(p_table, array['rule', 'checks'], p_rule -> 'checks'))
  into v_after, v_is_allowed
  using v_given;
  if not v_is_allowed then
    perform nofx_private.refuse(422, 'write-not-allowed', p_table::text, 'A row would not match the rule after the write.');
  end if;
  return jsonb_build_object('before', v_before, 'after', v_after);
end
$$;

-- Inserts rows, or updates those that exist.
-- Takes: p_table; p_write, {rows: [{column: value}], on_conflict: columns that identify a row}; p_rule, {see: columns to return, rows,
--   checks}.
-- Locks: the rows it changes.
-- Returns: {before: [row], after: [row]}, rows with the columns of `see`.
-- Raises: 422 write-not-allowed when a row does not match the rule, before or after; errors of the table.
create function nofx_private.upsert_rows(p_table regclass, p_write jsonb, p_rule jsonb)
returns jsonb
language plpgsql
security definer set search_path = ''
as $$
declare
  v_columns text[] := array(select distinct jsonb_object_keys(r) from jsonb_array_elements(p_write -> 'rows') as r);
  v_key text[] := array(select jsonb_array_elements_text(p_write -> 'on_conflict'));
  v_see text[] := array(select jsonb_array_elements_text(p_rule -> 'see'));
  v_given jsonb := jsonb_build_object('write', p_write, 'rule', p_rule);
  v_before jsonb;
  v_after jsonb;
  v_is_allowed boolean;
begin
  execute format($sql$
    select coalesce(jsonb_agg(seen.row), '[]')
      from (
        select jsonb_build_object(%2$s) as row
          from %1$s as t
          join jsonb_populate_recordset(null::%1$s, $1 #> '{write,rows}') as v on %3$s
           for update of t
      ) as seen
    $sql$, p_table, nofx_private.format_columns(v_see, '%1$L, t.%1$I'), nofx_private.format_columns(v_key, 't.%1$I = v.%1$I', ' and '))
  into v_before
  using v_given;
  execute format($sql$
    with t as (
      insert into %1$s as t (%2$s)
      select %2$s from jsonb_populate_recordset(null::%1$s, $1 #> '{write,rows}')
      on conflict (%3$s) do update set %4$s where %5$s
      returning %6$s
    )
    select coalesce(jsonb_agg(jsonb_build_object(%7$s)), '[]'), coalesce(bool_and(coalesce(%5$s and %8$s, false)), true)
      from t
    $sql$, p_table,
    nofx_private.format_columns(v_columns, '%I'),
    nofx_private.format_columns(v_key, '%I'),
    nofx_private.format_columns(v_columns, '%1$I = excluded.%1$I'),
    nofx_private.write_conditions(p_table, array['rule', 'rows'], p_rule -> 'rows'),
    nofx_private.format_columns(v_see, 't.%I'),
    nofx_private.format_columns(v_see, '%1$L, t.%1$I'),
    nofx_private.write_conditions(p_table, array['rule', 'checks'], p_rule -> 'checks'))
  into v_after, v_is_allowed
  using v_given;
  if not v_is_allowed then
    perform nofx_private.refuse(422, 'write-not-allowed', p_table::text, 'A row would not match the rule after the write.');
  end if;
  if jsonb_array_length(v_after) <> jsonb_array_length(p_write -> 'rows') then
    perform nofx_private.refuse(422, 'write-not-allowed', p_table::text, 'An existing row does not match the rule.');
  end if;
  return jsonb_build_object('before', v_before, 'after', v_after);
end
$$;

-- Deletes rows.
-- Takes: p_table; p_write, {filters}; p_rule, {see: columns to return, rows, max_rows}.
-- Locks: the rows it deletes.
-- Returns: {before: [row], after: []}, rows with the columns of `see`.
-- Raises: 422 write-not-allowed when there are too many rows; errors of the table.
create function nofx_private.delete_rows(p_table regclass, p_write jsonb, p_rule jsonb)
returns jsonb
language plpgsql
security definer set search_path = ''
as $$
declare
  v_see text[] := array(select jsonb_array_elements_text(p_rule -> 'see'));
  v_before jsonb;
begin
  execute format($sql$
    with t as (
      delete from %1$s as t
       where %2$s and %3$s
      returning %4$s
    )
    select coalesce(jsonb_agg(jsonb_build_object(%5$s)), '[]')
      from t
    $sql$, p_table,
    nofx_private.write_conditions(p_table, array['write', 'filters'], p_write -> 'filters'),
    nofx_private.write_conditions(p_table, array['rule', 'rows'], p_rule -> 'rows'),
    nofx_private.format_columns(v_see, 't.%I'),
    nofx_private.format_columns(v_see, '%1$L, t.%1$I'))
  into v_before
  using jsonb_build_object('write', p_write, 'rule', p_rule);
  -- The refusal undoes the deletion.
  if jsonb_array_length(v_before) > (p_rule ->> 'max_rows')::int then
    perform nofx_private.refuse(422, 'write-not-allowed', p_table::text,
      format('The write would delete more than %s rows.', p_rule ->> 'max_rows'));
  end if;
  return jsonb_build_object('before', v_before, 'after', '[]'::jsonb);
end
$$;

-- Writes rows of one table, as nofx_writer. The write was checked against its rule before (see check_write), and the owner has only
-- the rights that rules grant.
-- Takes: p_table; p_write, {op, rows: [{column: value}], filters, on_conflict}; p_rule, {see: columns to return, rows, checks, max_rows}.
-- Locks: the rows it changes; waits at most two seconds for one that others have locked.
-- Returns: {before: [row], after: [row]}, rows with the columns of `see`.
-- Raises: what the function of the operation raises.
create function nofx_private.write_rows(p_table regclass, p_write jsonb, p_rule jsonb)
returns jsonb
language plpgsql
security definer set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_images jsonb;
begin
  case p_write ->> 'op'
    when 'insert' then v_images := nofx_private.insert_rows(p_table, p_write, p_rule);
    when 'update' then v_images := nofx_private.update_rows(p_table, p_write, p_rule);
    when 'upsert' then v_images := nofx_private.upsert_rows(p_table, p_write, p_rule);
    when 'delete' then v_images := nofx_private.delete_rows(p_table, p_write, p_rule);
  end case;
  -- What the table defers to the end of the transaction is part of the write, and runs with the same rights.
  set constraints all immediate;
  return v_images;
end
$$;

-- All of them belong to nofx_writer, which needs nothing else of the schema; only write_rows can be called by others.
grant usage, create on schema nofx_private to nofx_writer;
grant execute on function nofx_private.refuse(int, text, text, text) to nofx_writer;
do $$
declare
  v_function regprocedure;
begin
  foreach v_function in array array[
    'nofx_private.format_columns(text[], text, text)', 'nofx_private.write_conditions(regclass, text[], jsonb)',
    'nofx_private.insert_rows(regclass, jsonb, jsonb)', 'nofx_private.update_rows(regclass, jsonb, jsonb)',
    'nofx_private.upsert_rows(regclass, jsonb, jsonb)', 'nofx_private.delete_rows(regclass, jsonb, jsonb)',
    'nofx_private.write_rows(regclass, jsonb, jsonb)']::regprocedure[]
  loop
    execute format('alter function %s owner to nofx_writer', v_function);
    execute format('revoke execute on function %s from public', v_function);
  end loop;
  execute format('grant execute on function nofx_private.write_rows(regclass, jsonb, jsonb) to %I', current_user);
end
$$;
revoke create on schema nofx_private from nofx_writer;

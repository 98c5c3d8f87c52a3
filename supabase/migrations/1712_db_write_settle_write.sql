-- Finds a name that is not allowed.
-- Takes: p_named, the names to check; p_allowed, the allowed names.
-- Locks: nothing.
-- Returns: the first name that is not allowed; null when all are.
-- Raises: nothing.
create function nofx_private.first_not_in(p_named text[], p_allowed text[])
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  return (select n from unnest(p_named) as n where n is null or n <> all (p_allowed) limit 1);
end
$$;

-- Checks a write against the rule for its table.
-- Takes: p_tenant; p_write, {op, table, rows, filters, on_conflict} from a plan.
-- Locks: the rule, so that it cannot change meanwhile.
-- Returns: the arguments of write_rows: {table, write, rule}.
-- Raises: 422 write-not-allowed; 422 invalid-write.
create function nofx_private.check_write(p_tenant uuid, p_write jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_rule nofx.db_write_rule;
  v_c jsonb;
  v_write text[];
  v_see text[];
  v_bad text;
  v_op text := p_write ->> 'op';
  v_max int;
begin
  -- By name, before the name is resolved to a table.
  select * into v_rule from nofx.db_write_rule where tenant_id = p_tenant and table_name = p_write ->> 'table' for share;
  if not found then
    perform nofx_private.refuse(422, 'write-not-allowed', coalesce(p_write ->> 'table', 'no table'),
      'No rule allows steps of this tenant to write to this table (schema.table).');
  end if;
  v_c := v_rule.constraints;
  if v_op is null or v_op <> all (v_rule.allowed_ops) then
    perform nofx_private.refuse(422, 'write-not-allowed', coalesce(v_op, 'no op'),
      format('The rule for %s allows %s.', v_rule.table_name, array_to_string(v_rule.allowed_ops, ', ')));
  end if;
  v_write := array(select jsonb_array_elements_text(v_c -> 'columns'));
  v_see := v_write || array(select jsonb_array_elements_text(coalesce(v_c -> 'read', '[]')));
  v_max := least(coalesce((v_c ->> 'max_rows')::int, 100), 1000);

  if v_op <> 'delete' and not coalesce(
       jsonb_typeof(p_write -> 'rows') = 'array' and jsonb_array_length(p_write -> 'rows') between 1 and v_max
       and not exists (select from jsonb_array_elements(p_write -> 'rows') as r where jsonb_typeof(r) <> 'object' or r = '{}'), false) then
    perform nofx_private.refuse(422, 'invalid-write', 'rows', format('Send 1 to %s rows, each an object of columns and values.', v_max));
  end if;
  if v_op = 'update' and jsonb_array_length(p_write -> 'rows') <> 1 then
    perform nofx_private.refuse(422, 'invalid-write', 'rows', 'An update takes one row of values.');
  end if;
  if v_op <> 'delete' then
    v_bad := nofx_private.first_not_in(
      array(select distinct jsonb_object_keys(r) from jsonb_array_elements(p_write -> 'rows') as r), v_write);
    if v_bad is not null then
      perform nofx_private.refuse(422, 'write-not-allowed', v_bad,
        format('The rule for %s allows writes to %s.', v_rule.table_name, array_to_string(v_write, ', ')));
    end if;
    -- All rows name the same columns: a missing value would become null.
    if (select count(distinct (select array_agg(k order by k) from jsonb_object_keys(r) as k))
          from jsonb_array_elements(p_write -> 'rows') as r) > 1 then
      perform nofx_private.refuse(422, 'invalid-write', 'rows', 'All rows must name the same columns.');
    end if;
  end if;
  if v_op in ('update', 'delete') then
    if not coalesce(jsonb_typeof(p_write -> 'filters') = 'array' and jsonb_array_length(p_write -> 'filters') between 1 and 20
         and not exists (select from jsonb_array_elements(p_write -> 'filters') as f
                          where jsonb_typeof(f) <> 'object' or f - array['column', 'op', 'value'] <> '{}' or f ->> 'op' is null
                             or (f ->> 'op' = 'in') <> (coalesce(jsonb_typeof(f -> 'value'), '') = 'array')
                             or f ->> 'op' not in ('is_null', 'not_null') and coalesce(f -> 'value', 'null') = 'null'), false) then
      perform nofx_private.refuse(422, 'invalid-write', 'filters',
        'Use 1 to 20 filters {column, op, value}; `in` takes a list, is_null and not_null no value.');
    end if;
    v_bad := nofx_private.first_not_in(array(select f ->> 'column' from jsonb_array_elements(p_write -> 'filters') as f), v_see);
    if v_bad is not null then
      perform nofx_private.refuse(422, 'write-not-allowed', v_bad,
        format('The rule for %s allows filters by %s.', v_rule.table_name, array_to_string(v_see, ', ')));
    end if;
    select r into v_bad from jsonb_array_elements_text(coalesce(v_c -> 'required_filters', '[]')) as r
     where r not in (select f ->> 'column' from jsonb_array_elements(p_write -> 'filters') as f where f ->> 'op' in ('eq', 'in')) limit 1;
    if v_bad is not null then
      perform nofx_private.refuse(422, 'write-not-allowed', v_bad,
        format('The rule for %s requires a filter (eq or in) for this column.', v_rule.table_name));
    end if;
  elsif coalesce(p_write -> 'filters', '[]') <> '[]' then
    perform nofx_private.refuse(422, 'invalid-write', 'filters', 'Only update and delete take filters.');
  end if;
  if v_op = 'upsert' and not coalesce(jsonb_typeof(p_write -> 'on_conflict') = 'array' and jsonb_array_length(p_write -> 'on_conflict') > 0
       and not exists (select from jsonb_array_elements_text(p_write -> 'on_conflict') as k
                        where not (p_write -> 'rows' -> 0) ? k), false) then
    perform nofx_private.refuse(422, 'invalid-write', 'on_conflict',
      'Set on_conflict to the columns that identify a row, and include their values.');
  end if;
  return jsonb_build_object('table', v_rule.table_name,
    'write', jsonb_build_object('op', v_op, 'rows', coalesce(p_write -> 'rows', '[]'), 'filters', coalesce(p_write -> 'filters', '[]'),
      'on_conflict', p_write -> 'on_conflict'),
    'rule', jsonb_build_object('see', to_jsonb(v_see), 'rows', coalesce(v_c -> 'rows', '[]'), 'checks', coalesce(v_c -> 'checks', '[]'),
      'max_rows', v_max));
end
$$;

-- Executes the write of a db_write step, or a dry run of it. The run is locked after the table: whoever waits for the run does not wait for
-- triggers of the table, or for those who lock its rows.
-- Takes: p_step, the step as it was when its write began; p_write, {op, table, rows, filters, on_conflict, dry_run}.
-- Locks: the rule and the rows; waits at most two seconds for a row that others have locked; then the run (lock_runs).
-- Returns: {count, before, after, dry_run}.
-- Raises: what check_write and write_rows raise; 422 invalid-write when the rows have values nested deeper than outputs may be;
--   409 lease-expired when the step has another lease now, or none; NX002 when its run is being cancelled.
create function nofx_private.apply_write(p_step nofx.step, p_write jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_checked jsonb := nofx_private.check_write(p_step.tenant_id, p_write);
  v_images jsonb;
  v_dry_run boolean := coalesce(p_write -> 'dry_run', 'false') = 'true';
  v_count int;
begin
  -- Policies of the table may read the tenant.
  perform set_config('nofx.tenant', p_step.tenant_id::text, true);
  begin
    v_images := nofx_private.write_rows((v_checked ->> 'table')::regclass, v_checked -> 'write', v_checked -> 'rule');
    if v_dry_run then
      raise exception using errcode = 'NX001', message = 'dry run';
    end if;
  exception when sqlstate 'NX001' then
    -- The images stay, the rows are rolled back.
    null;
  end;
  if nofx_private.is_deep(v_images) then
    perform nofx_private.refuse(422, 'invalid-write', 'outputs', 'What the rows have is nested deeper than outputs may be (64 levels).');
  end if;
  v_count := nofx_private.lock_runs(array[p_step.run_id]);
  if not exists (select from nofx.step where id = p_step.id and lease_token is not distinct from p_step.lease_token) then
    perform nofx_private.refuse(409, 'lease-expired', p_step.id::text, 'Another attempt may have begun; what was written is rolled back.');
  end if;
  if exists (select from nofx.run where id = p_step.run_id and status = 'cancelling') then
    raise exception using errcode = 'NX002', message = 'cancelled before the write';
  end if;
  if not v_dry_run then
    perform nofx_private.audit(p_step.tenant_id, 'db_write.' || (p_write ->> 'op'), v_checked ->> 'table',
      v_images -> 'before', v_images -> 'after', p_step.run_id, p_step.id,
      (select created_by from nofx.run where id = p_step.run_id));
  end if;
  return v_images || jsonb_build_object('dry_run', v_dry_run,
    'count', greatest(jsonb_array_length(v_images -> 'before'), jsonb_array_length(v_images -> 'after')));
end
$$;

-- Executes the write of one db_write step and settles the step, in one transaction, so that a settled step has written exactly once. What
-- goes wrong with the write fails this step. No other step is part of the call: one that takes too long ends alone.
-- Takes: p_worker, its name; p_outcome, {step_id, token, outputs: the write, and what settle_steps takes beside kind, error, transient};
--   p_capacity, p_tools and p_lease as settle_steps takes them.
-- Locks: what apply_write locks; then what settle_steps locks.
-- Returns: what settle_steps returns. The step has failed when the write was refused, or had taken five seconds; that and waiting for others
--   is transient. It is cancelled when its run is being cancelled, and refused when its lease has expired: then nothing is written.
-- Raises: what settle_steps raises.
create function nofx.settle_write(
  p_worker text,
  p_outcome jsonb,
  p_capacity int default 0,
  p_tools text[] default null,
  p_lease interval default '30 seconds'
)
returns json
language plpgsql
-- PostgREST sets this limit before it calls the function: one that is set inside does not bind the statement that runs.
security definer set search_path = '' set statement_timeout = '5s'
as $$
declare
  v_outcome jsonb := p_outcome || '{"kind": "done"}';
  v_step nofx.step;
  v_slug text;
  v_subject text;
  v_hint text;
begin
  perform nofx_private.require_service('settle', 'Only workers settle steps.');
  select * into v_step from nofx.step where id = (p_outcome ->> 'step_id')::uuid and lease_token = (p_outcome ->> 'token')::uuid;
  -- Without its lease the settle refuses it, and nothing is written.
  if found then
    begin
      v_outcome := v_outcome || jsonb_build_object('outputs', nofx_private.apply_write(v_step, p_outcome -> 'outputs'));
    exception
      when sqlstate 'NX002' then
        v_outcome := v_outcome - 'outputs' || '{"kind": "interrupted", "error": {"message": "cancelled before the write"}}';
      when query_canceled then
        -- The limit has struck, and does not bind the rest of this call.
        perform set_config('lock_timeout', '2s', true);
        v_outcome := v_outcome - 'outputs' || jsonb_build_object('kind', 'failed', 'transient', true, 'error',
          jsonb_build_object('message', 'the write was stopped, and nothing is written: a write may take five seconds'));
      when assert_failure or others then
        get stacked diagnostics v_slug = message_text, v_subject = pg_exception_detail, v_hint = pg_exception_hint;
        -- Conflicts with other transactions are transient; refusals by the table or the rule are permanent.
        v_outcome := v_outcome - 'outputs' || jsonb_build_object('kind', 'failed', 'transient', sqlstate like '40%' or sqlstate = '55P03', 'error',
          jsonb_build_object('message', case
            when sqlstate like 'PT%' then format('%s: %s. %s', v_slug, v_subject, v_hint)
            else format('the table refused the write (%s): %s', sqlstate, v_slug) end));
    end;
  end if;
  return nofx.settle_steps(p_worker, jsonb_build_array(v_outcome), p_capacity, p_tools, p_lease);
end
$$;
grant execute on function nofx.settle_write(text, jsonb, int, text[], interval) to service_role;

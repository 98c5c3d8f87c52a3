-- Whether a value is nested deeper than 72 levels: 64 are for what plans and steps have, the others for what is put around it. Readers of JSON
-- take 128 levels, and a row that one of them cannot read would fail in the hands of whoever reads it.
-- Takes: p_value, null for none.
-- Locks: nothing.
-- Returns: true or false; null for none.
-- Raises: nothing.
create function nofx_private.is_deep(p_value jsonb)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return jsonb_path_exists(p_value, 'strict $.**{73}');
end
$$;

-- Whether a value is a text, or is not there.
-- Takes: p_value, null and JSON's null for none; p_most, its most characters.
-- Locks: nothing.
-- Returns: true or false.
-- Raises: nothing.
create function nofx_private.is_text(p_value jsonb, p_most int)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return p_value is null or p_value = 'null' or jsonb_typeof(p_value) = 'string' and length(p_value #>> '{}') <= p_most;
end
$$;

-- Whether a value is a whole number in a range, or is not there.
-- Takes: p_value, null and JSON's null for none; p_least and p_most, the range.
-- Locks: nothing.
-- Returns: true or false.
-- Raises: nothing.
create function nofx_private.is_whole(p_value jsonb, p_least numeric, p_most numeric)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case
    when p_value is null or p_value = 'null' then true
    when jsonb_typeof(p_value) <> 'number' then false
    else p_value::numeric between p_least and p_most and p_value::numeric = trunc(p_value::numeric) end;
end
$$;

-- Whether a value is a number in a range, or is not there.
-- Takes: p_value, null and JSON's null for none; p_least and p_most, the range.
-- Locks: nothing.
-- Returns: true or false.
-- Raises: nothing.
create function nofx_private.is_number(p_value jsonb, p_least numeric, p_most numeric)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case
    when p_value is null or p_value = 'null' then true
    when jsonb_typeof(p_value) <> 'number' then false
    else p_value::numeric between p_least and p_most end;
end
$$;

-- Whether a value is a list of texts, or is not there.
-- Takes: p_value, null for none; p_most, the most entries.
-- Locks: nothing.
-- Returns: true or false.
-- Raises: nothing.
create function nofx_private.is_list_of_texts(p_value jsonb, p_most int)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case
    when p_value is null then true
    when jsonb_typeof(p_value) <> 'array' then false
    else jsonb_array_length(p_value) <= p_most and not jsonb_path_exists(p_value, 'strict $[*] ? (@.type() != "string")') end;
end
$$;

-- Finds what is wrong with the fields of a run that create_run was given. The API's checks of a plan are more, and come first; these are what
-- the database needs itself, from whomever the call is.
-- Takes: p_run, as create_run takes it.
-- Locks: nothing.
-- Returns: the first fault, for people; null for none.
-- Raises: nothing.
create function nofx_private.run_fault(p_run jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_plan jsonb := nullif(p_run -> 'plan', 'null');
  v_workspace jsonb := nullif(p_run -> 'workspace', 'null');
  v_pull_request jsonb := nullif(p_run -> 'pull_request', 'null');
begin
  return case
    when jsonb_typeof(p_run) is distinct from 'object' then 'the run must be an object'
    when pg_column_size(p_run) > 4194304 then 'the run is larger than 4 MiB'
    when nofx_private.is_deep(p_run) then 'the run is nested deeper than 72 levels'
    when not nofx_private.is_text(p_run -> 'goal', 1000) then 'goal must be a text of at most 1,000 characters'
    when v_plan is not null and jsonb_typeof(v_plan) <> 'object' then 'plan must be an object'
    when v_workspace is not null and not coalesce(
           jsonb_typeof(v_workspace) = 'object' and jsonb_typeof(v_workspace -> 'git') = 'string'
           and v_workspace - array['git', 'ref'] = '{}'
           and nofx_private.is_text(v_workspace -> 'git', 2000) and nofx_private.is_text(v_workspace -> 'ref', 300), false)
      then 'workspace must be {git, ref}'
    when not nofx_private.is_whole(p_run -> 'priority', -100, 100) then 'priority must be from -100 to 100'
    when not nofx_private.is_whole(p_run -> 'max_parallel', 1, 10000) then 'max_parallel must be from 1 to 10,000'
    when not nofx_private.is_number(p_run -> 'deadline_s', -31622400, 31622400) then 'deadline_s must be at most 31,622,400'
    when not nofx_private.is_text(p_run -> 'traceparent', 100) then 'traceparent must be a text of at most 100 characters'
    when not nofx_private.is_text(p_run -> 'created_by', 200) then 'created_by must be a text of at most 200 characters'
    when v_pull_request is not null and not coalesce(
           jsonb_typeof(v_pull_request) = 'object' and jsonb_typeof(v_pull_request -> 'repository') = 'string'
           and jsonb_typeof(v_pull_request -> 'head_sha') = 'string'
           and nofx_private.is_text(v_pull_request -> 'repository', 200) and nofx_private.is_text(v_pull_request -> 'head_sha', 64), false)
      then 'pull_request must be {repository, head_sha}'
  end;
end
$$;

-- Finds what is wrong with a step that create_run was given: all that a claim or a settle reads of its row has its type, so that none of them
-- fails on it.
-- Takes: p_step, an element of create_run's p_steps.
-- Locks: nothing.
-- Returns: the first fault, for people; null for none.
-- Raises: nothing.
create function nofx_private.step_fault(p_step jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_needs jsonb := nullif(p_step -> 'needs', 'null');
begin
  return case
    when jsonb_typeof(p_step) is distinct from 'object' then 'it must be an object'
    when not coalesce(jsonb_typeof(p_step -> 'name') = 'string' and p_step ->> 'name' ~ '^[A-Za-z0-9 _.-]{1,80}$', false)
      then 'name must have 1 to 80 characters of A to Z, a to z, 0 to 9, space, `_`, `.` and `-`'
    when not coalesce(jsonb_typeof(p_step -> 'tool') = 'string' and p_step ->> 'tool' ~ '^[[:graph:]]{1,200}$', false)
      then 'tool must be the name of a tool'
    when not nofx_private.is_whole(p_step -> 'position', 0, 1000000) then 'position must be a place in the plan'
    when v_needs <> '[]' and (
           jsonb_typeof(v_needs) <> 'array' or jsonb_array_length(v_needs) > 1000
           or jsonb_path_exists(v_needs, 'strict $[*] ? (@.type() != "number")')
           or jsonb_path_exists(v_needs, 'strict $[*] ? (@ < -1000000 || @ > 1000000 || @ != @.floor())'))
      then 'needs must be indexes of earlier steps'
    when p_step ->> 'on_failure' not in ('fail', 'continue', 'skip') then 'on_failure must be fail, continue or skip'
    when not nofx_private.is_whole(p_step -> 'max_attempts', 1, 100) then 'max_attempts must be from 1 to 100'
    when p_step ->> 'concurrency_key' is not null and not nofx_private.is_text(p_step -> 'concurrency_key', 200) then 'concurrency_key must be a text of at most 200 characters'
    when p_step ->> 'concurrency_limit' is not null and not nofx_private.is_whole(p_step -> 'concurrency_limit', 1, 10000) then 'concurrency_limit must be from 1 to 10,000'
    else nofx_private.spec_fault(nullif(p_step -> 'spec', 'null'))
  end;
end
$$;

-- Finds what is wrong with the spec of a step.
-- Takes: p_spec, null for none.
-- Locks: nothing.
-- Returns: the first fault, for people; null for none.
-- Raises: nothing.
create function nofx_private.spec_fault(p_spec jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_approval jsonb := nullif(p_spec -> 'approval', 'null');
  v_retry jsonb := nullif(p_spec -> 'retry', 'null');
  v_env jsonb := nullif(p_spec -> 'env', 'null');
  v_for_each jsonb := nullif(p_spec -> 'for_each', 'null');
begin
  -- What is not there is not looked at: a call of each check for each step would cost more than to insert it.
  return case
    when p_spec is null or p_spec = '{}' then null
    when jsonb_typeof(p_spec) <> 'object' then 'spec must be an object'
    when pg_column_size(p_spec) > 2097152 then 'spec is larger than 2 MiB'
    when nofx_private.is_deep(p_spec) then 'spec is nested deeper than 72 levels'
    when coalesce(jsonb_typeof(p_spec -> 'inputs'), 'object') not in ('object', 'null') then 'spec.inputs must be an object'
    when p_spec ? 'if' and not nofx_private.is_text(p_spec -> 'if', 2000) then 'spec.if must be an expression'
    -- One that is there and yields nothing must not pass for a step without items, which policies hold.
    when v_for_each is not null and (jsonb_typeof(v_for_each) <> 'string' or v_for_each = '""' or not nofx_private.is_text(v_for_each, 2000))
      then 'spec.for_each must be an expression'
    when p_spec ? 'refs' and not nofx_private.is_list_of_texts(nullif(p_spec -> 'refs', 'null'), 1000) then 'spec.refs must be names of steps'
    when p_spec ? 'secrets' and not nofx_private.is_list_of_texts(nullif(p_spec -> 'secrets', 'null'), 1000) then 'spec.secrets must be names of secrets'
    when p_spec ? 'timeout_s' and not nofx_private.is_whole(p_spec -> 'timeout_s', 1, 86400) then 'spec.timeout_s must be from 1 to 86,400'
    when p_spec ? 'idempotency_key' and not nofx_private.is_text(p_spec -> 'idempotency_key', 10000) then 'spec.idempotency_key must be a text'
    when p_spec ?| array['driver', 'min_isolation', 'image', 'placement']
         and not (nofx_private.is_text(p_spec -> 'driver', 100) and nofx_private.is_text(p_spec -> 'min_isolation', 100)
              and nofx_private.is_text(p_spec -> 'image', 255) and nofx_private.is_text(p_spec -> 'placement', 100))
      then 'spec.driver, min_isolation, image and placement must be texts'
    when p_spec ? 'toolchains' and not nofx_private.is_list_of_texts(nullif(p_spec -> 'toolchains', 'null'), 16)
      then 'spec.toolchains must be names of toolchains'
    when coalesce(jsonb_typeof(p_spec -> 'resources'), 'object') not in ('object', 'null') then 'spec.resources must be an object'
    when v_env is not null and (jsonb_typeof(v_env) <> 'object' or jsonb_path_exists(v_env, 'strict $.* ? (@.type() != "string")'))
      then 'spec.env must be an object of texts'
    when v_retry is not null and not (
           jsonb_typeof(v_retry) = 'object' and nofx_private.is_whole(v_retry -> 'max_attempts', 1, 100)
           and nofx_private.is_number(v_retry -> 'initial_ms', 0, 1e20) and nofx_private.is_number(v_retry -> 'max_ms', 0, 1e20)
           and nofx_private.is_number(v_retry -> 'factor', 1, 100) and nofx_private.is_number(v_retry -> 'jitter', 0, 1))
      then 'spec.retry must be {max_attempts, initial_ms, factor, max_ms, jitter}'
    when v_approval is not null and not (
           jsonb_typeof(v_approval) = 'object'
           and coalesce(v_approval ->> 'role', 'admin') in ('viewer', 'contributor', 'supervisor', 'admin')
           and nofx_private.is_whole(v_approval -> 'count', 1, 10) and nofx_private.is_whole(v_approval -> 'expires_s', 1, 31622400))
      then 'spec.approval must be {role, count, expires_s}'
  end;
end
$$;

-- A gate of a run for a pull request, shown by its forge as a check.
create table nofx.check_run (
  step_id uuid primary key references nofx.step (id) on delete cascade,
  tenant_id uuid not null,
  run_id uuid not null references nofx.run (id) on delete cascade,
  repository text not null,
  head_sha text not null,
  -- The forge's id of the check, once it was reported.
  check_id bigint,
  -- The last reported status: queued, in_progress or completed.
  reported_status text,
  -- A worker has claimed the report until then.
  locked_until timestamptz
);
create index check_run_open on nofx.check_run (run_id) where reported_status is distinct from 'completed';

select nofx_private.secure_table('nofx.check_run');

-- Creates checks for the gates of a new run.
-- Takes: p_run, its id; p_pull_request, {repository, head_sha, number}.
-- Locks: nothing.
-- Returns: nothing.
-- Raises: nothing.
create function nofx_private.create_checks(p_run uuid, p_pull_request jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into nofx.check_run (step_id, tenant_id, run_id, repository, head_sha)
  select s.id, s.tenant_id, p_run, p_pull_request ->> 'repository', p_pull_request ->> 'head_sha'
    from nofx.step s
   where s.run_id = p_run and (s.tool like 'gate:%' or s.tool like 'manual:%');
end
$$;

-- Maps a step's status to that of its check.
-- Takes: p_status.
-- Locks: nothing.
-- Returns: queued, in_progress or completed.
-- Raises: nothing.
create function nofx_private.check_run_status(p_status nofx.step_status)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case when p_status >= 'succeeded' then 'completed' when p_status in ('running', 'waiting') then 'in_progress' else 'queued' end;
end
$$;

-- Claims checks whose status has changed since the last report, for 20 seconds.
-- Takes: p_limit, how many at most.
-- Locks: the checks, skipping those that another worker has locked.
-- Returns: an array of {step_id, tenant_id, run_id, name, tool, repository, head_sha, check_id, reported_status, state, status, error,
--   started_at, ended_at, question, evidence: {blob, hash} or null}.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.claim_checks(p_limit int default 50)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_taken uuid[];
begin
  perform nofx_private.require_service('check', 'Only workers report checks.');
  with due as (
    select c.step_id
      from nofx.check_run c
      join nofx.step s on s.id = c.step_id
     where c.reported_status is distinct from 'completed'
       and c.reported_status is distinct from nofx_private.check_run_status(s.status)
       and (c.locked_until is null or c.locked_until < now())
     order by c.step_id
     limit p_limit
     for update of c skip locked
  ), taken as (
    update nofx.check_run c set locked_until = now() + interval '20 seconds'
      from due where c.step_id = due.step_id
    returning c.step_id
  )
  select array_agg(t.step_id) into v_taken from taken t;
  return (
    select coalesce(json_agg(json_build_object(
             'step_id', t.step_id, 'tenant_id', t.tenant_id, 'run_id', t.run_id, 'name', s.name, 'tool', s.tool, 'repository', t.repository,
             'head_sha', t.head_sha, 'check_id', t.check_id, 'reported_status', t.reported_status, 'state', nofx_private.check_run_status(s.status), 'status', s.status,
             'error', s.error, 'started_at', s.started_at, 'ended_at', s.ended_at,
             'question', (select g.question from nofx.gate g where g.id = s.gate_id),
             'evidence', (select json_build_object('blob', a.blob, 'hash', a.hash)
                            from nofx.gate g join nofx.artifact a on a.id = g.evidence_id
                           where g.step_id = s.id order by g.created_at desc limit 1))), '[]')
      from nofx.check_run t join nofx.step s on s.id = t.step_id
     where t.step_id = any (v_taken));
end
$$;
grant execute on function nofx.claim_checks(int) to service_role;

-- Marks a check as reported.
-- Takes: p_step; p_status, queued | in_progress | completed; p_check_id, the forge's id.
-- Locks: the check.
-- Returns: whether the status has changed meanwhile and must be reported again.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.mark_check_reported(p_step uuid, p_status text, p_check_id bigint)
returns boolean
language plpgsql
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('check', 'Only workers report checks.');
  update nofx.check_run set reported_status = p_status, check_id = p_check_id, locked_until = null where step_id = p_step;
  return exists (select from nofx.step s where s.id = p_step and nofx_private.check_run_status(s.status) <> p_status);
end
$$;
grant execute on function nofx.mark_check_reported(uuid, text, bigint) to service_role;

-- Runs a gate again on request of the forge.
-- Takes: p_step; p_repository, the check's: an id alone would let one repository rerun another's gates.
-- Locks: what retry_step locks.
-- Returns: {id, status} of the run.
-- Raises: 403 forbidden when the caller is not the service role; 404 step-not-found; 409 run-not-failed.
create function nofx.rerun_check(p_step uuid, p_repository text)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_check nofx.check_run;
  v_run json;
begin
  perform nofx_private.require_service('check', 'Only the API reruns checks.');
  select * into v_check from nofx.check_run where step_id = p_step and repository = p_repository;
  if not found then
    perform nofx_private.refuse(404, 'step-not-found', p_step::text, 'The repository has no check for this step.');
  end if;
  v_run := nofx.retry_step(v_check.run_id, p_step);
  -- New checks for all gates that run again.
  update nofx.check_run c set reported_status = null, check_id = null, locked_until = null
    from nofx.step s
   where c.run_id = v_check.run_id and s.id = c.step_id and s.status < 'succeeded';
  return v_run;
end
$$;
grant execute on function nofx.rerun_check(uuid, text) to service_role;

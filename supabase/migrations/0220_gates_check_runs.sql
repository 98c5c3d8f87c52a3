-- A gate of a run for a pull request, shown by its forge as a check.
create table nofx.check_run (
  step_id uuid primary key references nofx.step (id) on delete cascade,
  tenant_id uuid not null,
  run_id uuid not null references nofx.run (id) on delete cascade,
  repository text not null,
  head_sha text not null,
  -- The forge's ids of the check and of the App that shows it, once it was reported.
  check_id bigint,
  app_id bigint,
  -- The last reported status: queued, in_progress or completed.
  reported_status text,
  -- Why nothing is reported any more: what it would say is not proven of that commit of that repository. Null: it is reported.
  refused text check (length(refused) <= 1000),
  -- It is not claimed before: a worker has claimed the report until then, or a report failed and is tried again then.
  locked_until timestamptz,
  -- Reports that failed since the last one that did not.
  attempts int not null default 0
);
create index check_run_of_commit on nofx.check_run (repository, head_sha);
create index check_run_open on nofx.check_run (run_id) where reported_status is distinct from 'completed' and refused is null;
create index check_run_open_of_tenant on nofx.check_run (tenant_id, step_id) where reported_status is distinct from 'completed' and refused is null;

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

-- Claims checks whose status has changed since the last report, for 90 seconds: of each tenant that has one the first, then the second, 4 at
-- most, so that none waits for all those of another; of a tenant those first whose report has failed least.
-- Takes: p_limit, how many at most.
-- Locks: the checks, skipping those that another worker has locked.
-- Returns: an array of {step_id, tenant_id, run_id, name, tool, repository, head_sha, check_id, reported_status, state, status, error,
--   started_at, ended_at, question, evidence: {blob, hash} or null, workspace: {git, ref} or null, judged: {commit, is_clean, uncounted} or
--   null}. `judged`: see judged_of.
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
  with recursive tenant as (
    (select c.tenant_id as id from nofx.check_run c
      where c.reported_status is distinct from 'completed' and c.refused is null order by c.tenant_id limit 1)
    union all
    select (select c.tenant_id from nofx.check_run c
             where c.reported_status is distinct from 'completed' and c.refused is null and c.tenant_id > t.id order by c.tenant_id limit 1)
      from tenant t
     where t.id is not null
  ), turn as (
    select d.step_id
      from tenant t
     cross join lateral (
       select c.step_id, row_number() over (order by c.attempts, c.step_id) as place
         from nofx.check_run c
         join nofx.step s on s.id = c.step_id
        where c.tenant_id = t.id and c.reported_status is distinct from 'completed' and c.refused is null
          and c.reported_status is distinct from nofx_private.check_run_status(s.status)
          and (c.locked_until is null or c.locked_until < now())
        order by c.attempts, c.step_id
        limit 4
     ) as d
     order by d.place, d.step_id
     limit p_limit
  ), due as (
    select c.step_id
      from nofx.check_run c
     where c.step_id in (select turn.step_id from turn) and (c.locked_until is null or c.locked_until < now())
       for update skip locked
  ), taken as (
    update nofx.check_run c set locked_until = now() + interval '90 seconds'
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
                           where g.step_id = s.id order by g.created_at desc limit 1),
             'workspace', r.workspace,
             'judged', nofx_private.judged_of(s))), '[]')
      from nofx.check_run t join nofx.step s on s.id = t.step_id join nofx.run r on r.id = t.run_id
     where t.step_id = any (v_taken));
end
$$;
grant execute on function nofx.claim_checks(int) to service_role;

-- Marks a check as reported.
-- Takes: p_step; p_status, queued | in_progress | completed; p_check_id and p_app_id, the forge's ids of the check and of the App that
--   shows it, null when this status is not shown there.
-- Locks: the check.
-- Returns: whether the status has changed meanwhile and must be reported again.
-- Raises: 403 forbidden when the caller is not the service role.
create function nofx.mark_check_reported(p_step uuid, p_status text, p_check_id bigint, p_app_id bigint)
returns boolean
language plpgsql
security definer set search_path = ''
as $$
begin
  perform nofx_private.require_service('check', 'Only workers report checks.');
  update nofx.check_run set reported_status = p_status, check_id = coalesce(p_check_id, check_id), app_id = coalesce(p_app_id, app_id), locked_until = null, attempts = 0 where step_id = p_step;
  return exists (select from nofx.step s where s.id = p_step and nofx_private.check_run_status(s.status) <> p_status);
end
$$;
grant execute on function nofx.mark_check_reported(uuid, text, bigint, bigint) to service_role;

-- Says whether a legal hold names a run or everything of its tenant.
-- Takes: p_tenant; p_run, null to ask for the tenant alone.
-- Locks: nothing. Under the run's lock the answer holds: place_hold takes it, too.
-- Returns: true when it is held.
-- Raises: nothing.
create function nofx_private.is_held(p_tenant uuid, p_run uuid)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return exists (select from nofx.legal_hold h where h.tenant_id = p_tenant and (h.run_id is null or h.run_id = p_run));
end
$$;

-- Refuses to reopen held runs: a step that runs again loses its error, inputs, outputs and dead letter.
-- Takes: p_tenant; p_runs, runs of it whose locks are held.
-- Locks: nothing.
-- Returns: nothing.
-- Raises: 409 legal-hold.
create function nofx_private.refuse_held(p_tenant uuid, p_runs uuid[])
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  v_held uuid := (select run from unnest(p_runs) as run where nofx_private.is_held(p_tenant, run) order by run limit 1);
begin
  if v_held is not null then
    perform nofx_private.refuse(409, 'legal-hold', v_held::text,
      'To run it again would delete errors and results. Submit the plan as a new run, or release the legal hold first.');
  end if;
end
$$;

-- Places a legal hold on a run, or on everything of the caller's tenant. Several holds on the same run stand side by side.
-- Takes: p_run, null for the tenant; p_reason, 1 to 2000 characters.
-- Locks: the advisory lock of begin_prune: a deletion that has begun ends first; the run (lock_runs).
-- Returns: the hold {id, run_id, reason, created_by, created_at}.
-- Raises: 403 forbidden when the caller's role is below supervisor; 404 run-not-found; 422 reason-required.
create function nofx.place_hold(p_run uuid, p_reason text)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('supervisor');
  v_reason text := btrim(p_reason, E' \t\r\n');
  v_hold nofx.legal_hold;
begin
  if coalesce(length(v_reason), 0) not between 1 and 2000 then
    perform nofx_private.refuse(422, 'reason-required', coalesce(p_run::text, 'tenant'), 'Set `reason` to 1 to 2000 characters; the audit log keeps it.');
  end if;
  perform pg_advisory_xact_lock(hashtextextended('nofx_prune', 0));
  if p_run is not null then
    perform nofx_private.lock_run_for_caller(p_run, 'supervisor');
  end if;
  insert into nofx.legal_hold (id, tenant_id, run_id, reason, created_by)
  values (nofx_private.uuid_v7(), v_tenant, p_run, v_reason, nofx_private.caller_name())
  returning * into v_hold;
  perform nofx_private.audit(v_tenant, 'legal_hold.placed', v_hold.id::text, null, to_jsonb(v_hold) - 'tenant_id', p_run);
  return to_jsonb(v_hold) - 'tenant_id';
end
$$;
grant execute on function nofx.place_hold(uuid, text) to nofx_api;

-- Releases a legal hold: the retention applies again, unless another hold names the same.
-- Takes: p_id.
-- Locks: the hold.
-- Returns: nothing.
-- Raises: 403 forbidden when the caller's role is below supervisor; 404 legal-hold-not-found.
create function nofx.release_hold(p_id uuid)
returns void
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('supervisor');
  v_hold nofx.legal_hold;
begin
  delete from nofx.legal_hold where id = p_id and tenant_id = v_tenant returning * into v_hold;
  if not found then
    perform nofx_private.refuse(404, 'legal-hold-not-found', p_id::text, 'List legal holds with GET /api/retention/holds.');
  end if;
  perform nofx_private.audit(v_tenant, 'legal_hold.released', p_id::text, to_jsonb(v_hold) - 'tenant_id', null, v_hold.run_id);
end
$$;
grant execute on function nofx.release_hold(uuid) to nofx_api;

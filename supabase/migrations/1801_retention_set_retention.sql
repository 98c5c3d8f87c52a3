-- Lists for how many days the caller's tenant keeps each kind of history.
-- Takes: nothing; the tenant comes from the token.
-- Locks: nothing.
-- Returns: an array of {what, days: null for forever (model calls and artifacts: as long as their run), is_default}.
-- Raises: 403 forbidden.
create function nofx.list_retention()
returns json
language plpgsql
stable
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('viewer');
begin
  -- A legal hold of the tenant suspends the settings and does not change them.
  return (
    select json_agg(json_build_object('what', kind.what, 'days', case when r.what is not null then r.days else nofx_private.default_retention(kind.what) end,
             'is_default', r.what is null) order by kind.what)
      from unnest(enum_range(null::nofx.retained)) as kind (what)
      left join nofx.retention r on r.tenant_id = v_tenant and r.what = kind.what);
end
$$;
grant execute on function nofx.list_retention() to nofx_api;

-- Sets for how many days the caller's tenant keeps something.
-- Takes: p_what; p_days, 1 to 3650, or null: forever, model calls and artifacts as long as their run.
-- Locks: the head of the audit log, so that two calls cannot contradict each other; the setting.
-- Returns: nothing.
-- Raises: 403 forbidden when the caller's role is below admin; 422 invalid-retention.
create function nofx.set_retention(p_what nofx.retained, p_days int)
returns void
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('admin');
  v_before jsonb;
  v_runs int;
  v_longest int;
begin
  if p_what is null or p_days not between 1 and 3650 then
    perform nofx_private.refuse(422, 'invalid-retention', coalesce(p_what::text, 'what'), 'Set 1 to 3650 days, or null for forever.');
  end if;
  perform nofx_private.lock_audit(v_tenant);
  v_before := (select to_jsonb(r) - 'tenant_id' from nofx.retention r where r.tenant_id = v_tenant and r.what = p_what);
  insert into nofx.retention (tenant_id, what, days) values (v_tenant, p_what, p_days)
  on conflict (tenant_id, what) do update set days = excluded.days;
  -- A run is deleted with its artifacts and model calls: a longer retention of theirs would not be kept.
  select r.days into v_runs from nofx.retention r where r.tenant_id = v_tenant and r.what = 'runs';
  select max(r.days) into v_longest from nofx.retention r where r.tenant_id = v_tenant and r.what in ('model_calls', 'artifacts');
  if v_longest > v_runs then
    perform nofx_private.refuse(422, 'invalid-retention', p_what::text,
      format('Artifacts and model calls are deleted with their run after %s days: keep runs for at least %s days, or those for at most %s.', v_runs, v_longest, v_runs));
  end if;
  perform nofx_private.audit(v_tenant, 'retention.set', p_what::text, v_before, jsonb_build_object('what', p_what, 'days', p_days));
end
$$;
grant execute on function nofx.set_retention(nofx.retained, int) to nofx_api;

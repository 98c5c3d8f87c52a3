-- The repository that runs of a tenant work on when their plan names no workspace.
create table nofx.default_workspace (
  tenant_id uuid primary key references nofx.tenant (id) on delete cascade,
  -- As in a plan (shared/src/plan/validate/workspace.rs): https://host/path, ssh://git@host/path, git@host:path or an absolute path, and no credentials,
  -- because everyone of the tenant reads it. Git would take a name that begins with a dash for an option, and run the command of `ext::`.
  git text not null check (length(git) between 1 and 2000 and git !~ '^-' and git !~ '[[:cntrl:]]' and git !~ '^\s|\s$'
    and (git ~ '^https://[A-Za-z0-9[][^@/?#]*([/?#].*)?$'
      or git ~ '^ssh://([A-Za-z0-9][A-Za-z0-9._~-]*@)?[A-Za-z0-9[][^@/?#]*([/?#].*)?$'
      or git ~ '^([A-Za-z0-9][A-Za-z0-9._~-]*@)?[A-Za-z0-9][A-Za-z0-9._~-]*:/?[^@:/][^@]*$'
      or git ~ '^/')),
  -- Branch, tag or commit; null: the repository's HEAD.
  ref text check (length(ref) between 1 and 255 and ref !~ '^-' and ref !~ '[[:cntrl:]]'),
  changed_by text not null,
  changed_at timestamptz not null default now()
);
select nofx_private.secure_table('nofx.default_workspace');

-- Sets the default workspace of the caller's tenant, in place of an earlier one. Runs that exist are not changed.
-- Takes: p_git, URL or path of a git repository, null for no default; p_ref, branch, tag or commit, null for the repository's HEAD.
-- Locks: the row.
-- Returns: {git, ref}, or null.
-- Raises: 403 forbidden; 422 invalid-settings.
create function nofx.set_default_workspace(p_git text default null, p_ref text default null)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('admin');
  v_before jsonb := (select to_jsonb(w) from nofx.default_workspace w where w.tenant_id = v_tenant);
  v_workspace nofx.default_workspace;
begin
  if p_git is null and p_ref is not null then
    perform nofx_private.refuse(422, 'invalid-settings', 'git', 'Name the repository that ref belongs to.');
  end if;
  if p_git is null then
    delete from nofx.default_workspace where tenant_id = v_tenant;
  else
    begin
      insert into nofx.default_workspace (tenant_id, git, ref, changed_by)
      values (v_tenant, p_git, p_ref, nofx_private.caller_name())
      on conflict (tenant_id) do update
        set git = excluded.git, ref = excluded.ref, changed_by = excluded.changed_by, changed_at = now()
      returning * into v_workspace;
    exception when check_violation then
      perform nofx_private.refuse(422, 'invalid-settings', 'workspace',
        'Use https://host/path, ssh://git@host/path, git@host:path or an absolute path for git, without user and password or token: everyone of the '
        'tenant reads it, and steps name a secret instead (docs/repositories.md). Use a branch, tag or commit for ref, without a dash at its begin.');
    end;
  end if;
  perform nofx_private.audit(v_tenant, 'default_workspace.set', 'nofx.default_workspace', v_before,
    case when p_git is not null then to_jsonb(v_workspace) end);
  return case when p_git is not null then json_build_object('git', p_git, 'ref', p_ref) end;
end
$$;
grant execute on function nofx.set_default_workspace(text, text) to nofx_api;

-- Which tools may use a secret of a tenant. The values of secrets are not here: see read_secrets. A secret without a rule has that of its name
-- (default_secret_tools).
create table nofx.secret_rule (
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  name text not null check (name ~ '^[A-Za-z_][A-Za-z0-9_]{0,99}$'),
  -- Names of tools; one that ends with `*` stands for all that begin like it.
  tools text[] not null check (cardinality(tools) <= 50),
  changed_by text not null,
  changed_at timestamptz not null default now(),
  primary key (tenant_id, name)
);
select nofx_private.secure_table('nofx.secret_rule');

-- The tools that may use a secret for which the tenant has no rule: a token of a forge may change repositories, and is for git, which keeps it
-- from the programs of a step; the key of an app is for reports that workers make themselves.
-- Takes: p_name.
-- Locks: nothing.
-- Returns: names of tools, as a rule has them; null for all.
-- Raises: nothing.
create function nofx_private.default_secret_tools(p_name text)
returns text[]
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case
    when p_name in ('GITHUB_TOKEN', 'GITHUB_PAT', 'GH_TOKEN', 'GH_PAT', 'GH_ENTERPRISE_TOKEN', 'GITHUB_ENTERPRISE_TOKEN', 'GITLAB_TOKEN',
                    'BITBUCKET_TOKEN', 'GITEA_TOKEN', 'FORGEJO_TOKEN', 'CODEBERG_TOKEN', 'AZURE_DEVOPS_EXT_PAT') then array['git:*']
    when p_name in ('GITHUB_APP_KEY') then '{}'::text[]
  end;
end
$$;

-- Finds a secret that a tool may not use.
-- Takes: p_tenant; p_tool; p_secrets, a list of names, as a step's spec has it; null, JSON's null and what is no list for none.
-- Locks: nothing.
-- Returns: what is refused, why and what to do; null when it may use all of them.
-- Raises: nothing.
create function nofx_private.secret_fault(p_tenant uuid, p_tool text, p_secrets jsonb)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  if coalesce(jsonb_typeof(p_secrets), 'null') <> 'array' then
    return null;
  end if;
  return (
    select format('the secret %s may be used by %s, not by %s: use it in such a step, or have an admin change its rule (POST /api/secret-rules)',
             s.name, coalesce(nullif(array_to_string(t.tools, ', '), ''), 'no step'), p_tool)
      from jsonb_array_elements_text(p_secrets) as s (name)
      left join nofx.secret_rule r on r.tenant_id = p_tenant and r.name = s.name
     cross join lateral (select coalesce(r.tools, nofx_private.default_secret_tools(s.name)) as tools) as t
     where t.tools is not null
       and not exists (
         select from unnest(t.tools) as tool (pattern)
          where p_tool = tool.pattern or right(tool.pattern, 1) = '*' and starts_with(p_tool, left(tool.pattern, -1)))
     limit 1);
end
$$;

-- Why a step may not run with the secrets that it names.
-- Takes: p_step.
-- Locks: nothing.
-- Returns: {refuse: reason}, as hold_for does; null when it may.
-- Raises: nothing.
create function nofx_private.secret_hold(p_step nofx.step)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_fault text := nofx_private.secret_fault(p_step.tenant_id, p_step.tool, p_step.spec -> 'secrets');
begin
  return case when v_fault is not null then jsonb_build_object('refuse', v_fault) end;
end
$$;

-- Sets which tools may use a secret of the caller's tenant. Steps that were submitted before are checked again when they are claimed.
-- Takes: p_name, of a secret, which need not exist; p_tools, names of tools, one that ends with `*` for all that begin like it; an empty list
--   for none; null for the default of the name.
-- Locks: the rule.
-- Returns: {name, tools, changed_by, changed_at}; null when the default applies.
-- Raises: 403 forbidden; 422 invalid-settings.
create function nofx.set_secret_rule(p_name text, p_tools text[] default null)
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('admin');
  v_before jsonb := (select to_jsonb(r) from nofx.secret_rule r where r.tenant_id = v_tenant and r.name = p_name);
  v_rule nofx.secret_rule;
begin
  if p_tools is null then
    delete from nofx.secret_rule where tenant_id = v_tenant and name = p_name;
  else
    if exists (select from unnest(p_tools) as tool where tool is null or tool !~ '^[[:graph:]]{1,200}$') then
      perform nofx_private.refuse(422, 'invalid-settings', 'tools', 'Use names of tools, such as git:push or git:*.');
    end if;
    if v_before is null and (select count(*) from nofx.secret_rule where tenant_id = v_tenant) >= 1000 then
      perform nofx_private.refuse(422, 'invalid-settings', 'name', 'A tenant has at most 1,000 rules for secrets: remove one that is no longer used.');
    end if;
    begin
      insert into nofx.secret_rule (tenant_id, name, tools, changed_by)
      values (v_tenant, p_name, p_tools, nofx_private.caller_name())
      on conflict (tenant_id, name) do update
        set tools = excluded.tools, changed_by = excluded.changed_by, changed_at = now()
      returning * into v_rule;
    exception when check_violation or not_null_violation then
      perform nofx_private.refuse(422, 'invalid-settings', 'name',
        'Use the name of a secret: 1 to 100 letters, digits and `_`, no digit first; and at most 50 tools.');
    end;
  end if;
  perform nofx_private.audit(v_tenant, 'secret_rule.set', p_name, v_before, case when p_tools is not null then to_jsonb(v_rule) end);
  return case when p_tools is not null then json_build_object('name', v_rule.name, 'tools', v_rule.tools, 'changed_by', v_rule.changed_by,
    'changed_at', v_rule.changed_at) end;
end
$$;
grant execute on function nofx.set_secret_rule(text, text[]) to nofx_api;

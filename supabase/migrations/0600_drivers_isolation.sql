-- How far a step's processes are from everything that is not their own, from the lowest to the highest: shared/src/drivers/level.rs says
-- what each has.
create type nofx.isolation_level as enum ('L1', 'L2', 'L3', 'L4');
-- Where a step's tool runs.
create type nofx.driver as enum ('worker-container', 'vercel-function', 'modal', 'e2b');

-- What a tenant demands of where its steps run. Without a row: worker-container, and the operator's floor.
create table nofx.isolation (
  tenant_id uuid primary key references nofx.tenant (id) on delete cascade,
  -- Where a step runs whose plan names no driver, if that driver takes its tool; null: worker-container.
  default_driver nofx.driver,
  -- The minimum of all steps; null: none.
  min_isolation nofx.isolation_level,
  -- Minimums of tools, {tool: level}: a name, or a prefix that ends in `*`. All that fit apply.
  tools jsonb not null default '{}' check (jsonb_typeof(tools) = 'object'),
  -- What machines are made from whose step names no image, {driver, or `task` for that placement: image}: each driver has names of its own.
  images jsonb not null default '{}' check (jsonb_typeof(images) = 'object'),
  -- Names of the toolchains of a worker that steps see which name none, as an array; null: all.
  toolchains jsonb check (jsonb_typeof(toolchains) = 'array'),
  changed_by text not null,
  changed_at timestamptz not null default now()
);
select nofx_private.secure_table('nofx.isolation');

-- Returns the highest level that a tenant demands of a tool. A claim calls it only for tenants that have settings.
-- Takes: p_isolation, the tenant's settings; p_tool, a step's tool.
-- Locks: nothing.
-- Returns: the level; null for none.
-- Raises: nothing.
create function nofx_private.min_isolation_for(p_isolation nofx.isolation, p_tool text)
returns nofx.isolation_level
language plpgsql
immutable
set search_path = ''
as $$
begin
  return greatest((p_isolation).min_isolation, (
    select max(t.value::nofx.isolation_level)
      from jsonb_each_text((p_isolation).tools) as t
     where t.key = p_tool or right(t.key, 1) = '*' and starts_with(p_tool, rtrim(t.key, '*'))));
end
$$;

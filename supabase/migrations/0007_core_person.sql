-- Email addresses of people, shown instead of ids, and their roles, by which alerts name who could decide. Actions before a person's first sign-in, and actions of API keys, show the id.
create table nofx.person (
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  -- The `sub` of their tokens.
  id text not null check (length(id) between 1 and 200),
  email text not null check (length(email) between 3 and 320),
  -- At their last sign-in. It gives no right: tokens do.
  role nofx.person_role not null,
  seen_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
select nofx_private.secure_table('nofx.person');

-- Records the email address and the role in the caller's token. The dashboard calls it at each sign-in.
-- Takes: nothing; reads the verified JWT. Tokens without an address, such as those of API keys, are ignored.
-- Locks: the caller's row.
-- Returns: nothing.
-- Raises: 403 forbidden when the token names no tenant or no role.
create function nofx.record_sign_in()
returns void
language plpgsql
security definer set search_path = ''
as $$
declare
  v_tenant uuid := nofx_private.require_role('viewer');
  v_email text := nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email';
begin
  if v_tenant is null or length(v_email) not between 3 and 320 or v_email is null then
    return;
  end if;
  insert into nofx.person (tenant_id, id, email, role)
  values (v_tenant, nofx_private.caller_name(), v_email, nofx_private.caller_role())
  on conflict (tenant_id, id) do update
    set email = excluded.email, role = excluded.role, seen_at = now();
end
$$;
grant execute on function nofx.record_sign_in() to nofx_api, service_role;

-- Private networks that hooks and steps of a tenant may reach. They belong to the deployment, so operators set them.
create table nofx.allowed_network (
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  network cidr not null,
  primary key (tenant_id, network)
);
select nofx_private.secure_table('nofx.allowed_network');

-- Sets the private networks that a tenant may reach, in place of earlier ones.
-- Takes: p_tenant; p_networks, such as 10.1.0.0/16 or a single address.
-- Locks: the tenant's rows.
-- Returns: the networks, as rows {tenant_id, network}.
-- Raises: 403 forbidden when the caller is not the service role; 404 unknown-tenant; 422 invalid-settings.
create function nofx.set_networks(p_tenant uuid, p_networks text[])
returns json
language plpgsql
security definer set search_path = ''
as $$
declare
  v_before jsonb;
begin
  perform nofx_private.require_service('networks', 'Only operators set which private networks may be reached.');
  v_before := (select jsonb_agg(network) from nofx.allowed_network where tenant_id = p_tenant);
  delete from nofx.allowed_network where tenant_id = p_tenant;
  begin
    insert into nofx.allowed_network (tenant_id, network) select p_tenant, one::cidr from unnest(p_networks) as one on conflict do nothing;
  exception
    when foreign_key_violation then
      perform nofx_private.refuse(404, 'unknown-tenant', p_tenant::text, 'Create the tenant first.');
    when invalid_text_representation then
      perform nofx_private.refuse(422, 'invalid-settings', 'networks', 'Use networks such as 10.1.0.0/16, or single addresses.');
  end;
  perform nofx_private.audit(p_tenant, 'networks.set', 'nofx.allowed_network', v_before, to_jsonb(p_networks));
  return (select coalesce(json_agg(json_build_object('tenant_id', tenant_id, 'network', network) order by network), '[]')
            from nofx.allowed_network where tenant_id = p_tenant);
end
$$;
grant execute on function nofx.set_networks(uuid, text[]) to service_role;

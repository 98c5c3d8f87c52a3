begin;
select plan(8);
create function pg_temp.hooks(p_count int, p_host text, p_backlog int) returns void language plpgsql as $$
begin
  perform tap.be('admin');
  perform nofx.set_hook(p_host || n, 'background', '', jsonb_build_object('kind', 'webhook', 'url', tap.sealed('u'), 'receiver', p_host || n || '.example')) from generate_series(1, p_count) as n;
  perform tap.be_service();
  insert into nofx.hook_delivery (id, tenant_id, hook_id, dedup_key, body, next_at)
  select nofx_private.uuid_v7(), h.tenant_id, h.id, n::text, '{}', now() - interval '1 hour'
    from nofx.hook h, generate_series(1, p_backlog) as n where h.tenant_id = current_setting('tap.tenant')::uuid and h.name like p_host || '%';
end
$$;
create temporary table claimed (id uuid, hook text, tenant uuid);
create function pg_temp.claim(p_limit int) returns text[] language sql as $$
  with c as (select c from json_array_elements(nofx.claim_deliveries(p_limit) -> 'due') as c),
       i as (insert into claimed select (c ->> 'id')::uuid, c ->> 'hook', (c ->> 'tenant_id')::uuid from c returning hook)
  select array_agg(hook order by hook) from i
$$;
select tap.tenant();
create temporary table crowd as select current_setting('tap.tenant')::uuid as id;
select pg_temp.hooks(5, 'dead', 2000);
select tap.tenant();
select pg_temp.hooks(1, 'fast', 8);
update nofx.hook_delivery set next_at = now() where tenant_id = current_setting('tap.tenant')::uuid;
select is(pg_temp.claim(4), array['dead1', 'dead2', 'fast1', 'fast1'], 'ten thousand that are older come second in turn');
select is(pg_temp.claim(100), array['dead1', 'dead1', 'dead1', 'dead2', 'dead2', 'dead2', 'dead3', 'dead3', 'dead3', 'dead4', 'dead4', 'dead4', 'dead5', 'dead5', 'fast1', 'fast1'],
  'of a tenant sixteen are on their way, of a receiver four');
select is(pg_temp.claim(100), null, 'no more, whoever asks');
-- Nobody receives those of the crowd.
select nofx.record_delivery_attempt(id, '{"duration_ms": 15000, "error": "no response within 15 s"}') from claimed where tenant = (select id from crowd);
select nofx.record_delivery_attempt(id, '{"duration_ms": 1, "status": 200, "delivered": true}') from claimed where tenant <> (select id from crowd);
delete from claimed where true;
select is(pg_temp.claim(100), array['dead1', 'dead2', 'dead3', 'dead4', 'fast1', 'fast1', 'fast1', 'fast1'], 'one for each receiver that fails, and four of them');
select pg_temp.hooks(0, 'dead', 0) from crowd, set_config('tap.tenant', crowd.id::text, true);
select pg_temp.hooks(1, 'well', 6);
select is(pg_temp.claim(100), array['well1', 'well1', 'well1', 'well1'], 'the same tenant reaches another receiver');
select nofx.record_delivery_attempt(id, '{"duration_ms": 1, "status": 204, "delivered": true}') from claimed where hook = 'dead1';
select is(pg_temp.claim(100), array['dead1', 'dead1', 'dead1', 'dead1', 'dead5'], 'one that receives again gets as many as before');
-- Two hooks to one receiver are not two receivers.
select tap.tenant();
select tap.be('admin');
select nofx.set_hook(name, 'background', '', jsonb_build_object('kind', 'slack', 'url', tap.sealed(url), 'receiver', 'hooks.example:443'))
  from (values ('a', 'https://me@Hooks.example:443/1'), ('b', 'https://hooks.example:443?2')) as v (name, url);
select pg_temp.hooks(0, 'x', 0);
insert into nofx.hook_delivery (id, tenant_id, hook_id, dedup_key, body) select nofx_private.uuid_v7(), h.tenant_id, h.id, n::text, '{}'
  from nofx.hook h, generate_series(1, 5) as n where h.tenant_id = current_setting('tap.tenant')::uuid;
select is(pg_temp.claim(100), array['a', 'a', 'b', 'b']);
select is((select array_agg(distinct receiver) from nofx.hook where tenant_id = current_setting('tap.tenant')::uuid), array['hooks.example:443']);
select * from finish();
rollback;

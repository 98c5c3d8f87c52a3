-- The forge's secret is one for the API: docs/repositories.md, "Pull requests".
begin;
select plan(4);
create temp table made (tenant uuid, run uuid);
create function pg_temp.show(p_app bigint) returns void language plpgsql as $$
begin
  insert into made select tap.tenant(),
    tap.submit('[{"name": "unit", "tool": "gate:unit"}]', '{"pull_request": {"repository": "acme/web", "head_sha": "abc"}}');
  perform tap.claim(), tap.fail_step('unit'), nofx.mark_check_reported(tap.step('unit'), 'completed', 7, p_app);
end
$$;
select pg_temp.show(29310), pg_temp.show(29310), pg_temp.show(1);
select is((select array_agg(status::text) from nofx.run where id in (select run from made)), array['failed', 'failed', 'failed']);

select is(json_array_length(nofx.rerun_checks('acme/web', 'abc', 29310)), 2, 'of both tenants with the App');
select is((select array_agg(r.status::text order by m.run) from made m join nofx.run r on r.id = m.run),
  array['running', 'running', 'failed'], 'not of the tenant with another App');
select is((select array_agg(distinct s.tenant_id order by s.tenant_id) from nofx.step s join made m on m.run = s.run_id and m.tenant = s.tenant_id),
  (select array_agg(tenant order by tenant) from made), 'each stays its tenant''s');
select * from finish();
rollback;

begin;
select plan(2);
create temporary table made (id uuid);
create function pg_temp.save() returns uuid language plpgsql as $$
begin
  perform tap.tenant();
  perform tap.run_of('loose', 1);
  perform tap.claim();
  return (select nofx.record_artifact(id, lease_token, jsonb_build_object('name', 'log', 'uri', 'one/log', 'blob', 'b',
            'type', 'text/plain', 'size_bytes', 3, 'hash', 'sha256:' || repeat('a', 64)))
            from nofx.step where run_id = tap.run());
end
$$;
insert into made values (pg_temp.save());
insert into made values (pg_temp.save());
select is((select count(distinct tenant_id)::int from nofx.artifact where id in (select id from made)), 2);
select is((select count(*)::int from nofx.artifact where uri = 'one/log'), 2);
select * from finish();
rollback;

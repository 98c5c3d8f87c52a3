begin;
select plan(3);
select tap.tenant();
select tap.run_of('loose', 2, '{}', '{"priority": 5}'), tap.run_of('loose', 3), tap.run_of('loose', 4, '{}', '{"priority": -1}'), tap.run_of('loose', 1, '{}', '{"priority": -7}');
update nofx.step s set ready_at = now() - interval '1 hour' from nofx.run r where r.id = s.run_id and r.priority = -7;
create function pg_temp.measured(p_kind text) returns text[] language sql as $$
  select array_agg(subject || ' ' || round(value) order by subject) from nofx_private.measure_subjects()
   where kind::text = p_kind and tenant_id = current_setting('tap.tenant')::uuid
$$;
select is(pg_temp.measured('queue_depth'), array['high 2', 'low 5', 'normal 3']);
select is(pg_temp.measured('queue_age'), array['high 0', 'low 3600', 'normal 0'], 'a low priority does not hide behind higher ones');
select tap.claim(2);
insert into nofx.event (tenant_id, run_id, type, data)
select tenant_id, id, 'step.started', jsonb_build_object('ready_at', now() - interval '40 seconds') from nofx.run where priority = -1 and tenant_id = current_setting('tap.tenant')::uuid;
select is(pg_temp.measured('queue_latency'), array['high 0', 'low 40']);
select * from finish();
rollback;

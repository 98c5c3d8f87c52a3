begin;
select plan(1);
select tap.tenant();
insert into nofx.event (tenant_id, type, tx) values (current_setting('tap.tenant')::uuid, 'old', 1);
select tap.be('viewer');
select is_empty($$ select tap.seen('select e.type from nofx.event_tail() as t cross join lateral nofx.read_events(t.tx, t.id) as e') $$);
select * from finish();
rollback;

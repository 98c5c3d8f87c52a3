begin;
select plan(1);
select tap.tenant();
insert into nofx.event (tenant_id, type, tx) values (current_setting('tap.tenant')::uuid, 'mine', 1);
select tap.be('admin', gen_random_uuid());
select is_empty($$ select tap.seen('select type from nofx.read_events()') $$);
select * from finish();
rollback;

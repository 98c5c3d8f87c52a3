begin;
select plan(1);
select tap.tenant();
insert into nofx.event (tenant_id, type, tx) values (current_setting('tap.tenant')::uuid, 'mine', 1);
select tap.be('admin', gen_random_uuid());
-- As a role to which row-level security does not apply.
select is_empty($$ select type from nofx.read_events() where type = 'mine' $$);
select * from finish();
rollback;

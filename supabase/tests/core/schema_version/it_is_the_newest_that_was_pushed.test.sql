begin;
select plan(2);
select tap.tenant();
select throws_ok($$ select nofx.schema_version() $$, 'PT403', 'forbidden');
-- The CLI creates the table when it pushes; here the migrations may have been applied without it.
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (version text primary key);
insert into supabase_migrations.schema_migrations (version) values ('9998'), ('9999'), ('0000');
select tap.be_service();
select is(nofx.schema_version(), '9999');
select * from finish();
rollback;

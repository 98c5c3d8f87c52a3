begin;
select plan(2);
select tap.tenant();
select throws_ok($$ select nofx.schema_version() $$, 'PT403', 'forbidden');
select tap.be_service();
select is(nofx.schema_version(), (select max(version) from supabase_migrations.schema_migrations));
select * from finish();
rollback;

begin;
select plan(2);
select tap.tenant();
select throws_ok($$ select nofx.delete_db_write_rule(gen_random_uuid()) $$, 'PT403', 'forbidden');
select tap.be_service();
select throws_ok($$ select nofx.delete_db_write_rule(gen_random_uuid()) $$, 'PT404', 'db-write-rule-not-found');
select * from finish();
rollback;

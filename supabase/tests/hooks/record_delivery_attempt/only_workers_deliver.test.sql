begin;
select plan(1);
select tap.tenant();
select tap.be('admin');
select throws_ok($$ select nofx.record_delivery_attempt(gen_random_uuid(), '{"duration_ms": 1, "status": 200}') $$, 'PT403', 'forbidden');
select * from finish();
rollback;

begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 2);
select throws_ok($$ select nofx.queue_metrics() $$, 'PT403', 'forbidden');
select tap.be_service();
select cmp_ok((nofx.queue_metrics() ->> 'steps_ready')::int, '>=', 2);
select * from finish();
rollback;

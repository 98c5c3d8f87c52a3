begin;
select plan(1);
select tap.tenant();
select throws_ok($$ select nofx.receive_github_webhook('sha256:a') $$, 'PT403', 'forbidden');
select * from finish();
rollback;

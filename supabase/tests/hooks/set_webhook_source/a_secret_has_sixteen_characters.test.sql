begin;
select plan(2);
select tap.tenant();
select tap.be('admin');
select throws_ok($$ select nofx.set_webhook_source('s', 'github', repeat('x', 15)) $$, 'PT422', 'invalid-hook');
select lives_ok($$ select nofx.set_webhook_source('s', 'github', repeat('x', 16)) $$);
select * from finish();
rollback;

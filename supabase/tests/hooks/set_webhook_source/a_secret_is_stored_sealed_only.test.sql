begin;
select plan(3);
select tap.tenant();
select tap.be('admin');
select throws_ok($$ select nofx.set_webhook_source('s', 'github', 'a secret of the sender') $$, 'PT422', 'invalid-hook');
select lives_ok($$ select nofx.set_webhook_source('s', 'github', tap.sealed('a secret of the sender')) $$);
select throws_ok($$ update nofx.webhook_source set secrets = array['a secret of the sender'] where tenant_id = current_setting('tap.tenant')::uuid $$, '23514');
select * from finish();
rollback;

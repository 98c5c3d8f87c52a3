begin;
select plan(8);
select tap.tenant();
select tap.be('admin');
select nofx.set_webhook_source(p, p::nofx.webhook_provider, tap.sealed('a secret of the sender')) from unnest(array['github', 'vercel', 'standard']) as p;
create temp table s as select id, provider from nofx.webhook_source where tenant_id = current_setting('tap.tenant')::uuid;
select tap.be_service();
create function pg_temp.received_again_after(p_age interval) returns setof text language plpgsql as $$
begin
  perform nofx.receive_webhook(id, 'once', 'push', '{}') from s;
  update nofx.webhook_receipt set received_at = now() - p_age where source_id in (select id from s);
  perform nofx_private.prune_deliveries();
  return query select provider::text from s where nofx.receive_webhook(id, 'once', 'push', '{}') order by 1;
end
$$;
select is(array(select pg_temp.received_again_after('23 hours')), '{}', 'each was received today');
select is(array(select pg_temp.received_again_after('25 hours')), array['standard'], 'whose signature has a time, which is too old by now');
select is(array(select pg_temp.received_again_after('89 days')), array['standard'], 'the others sign no time');
select is(array(select pg_temp.received_again_after('91 days')), array['github', 'standard', 'vercel']);
select is(nofx.receive_github_webhook('sha256:a'), true);
select is(nofx.receive_github_webhook('sha256:a'), false, 'a replay');
update nofx_private.github_receipt set received_at = now() - interval '89 days' where digest = 'sha256:a';
select nofx_private.prune_deliveries();
select is(nofx.receive_github_webhook('sha256:a'), false);
update nofx_private.github_receipt set received_at = now() - interval '91 days' where digest = 'sha256:a';
select nofx_private.prune_deliveries();
select is_empty($$ select from nofx_private.github_receipt where digest = 'sha256:a' $$);
select * from finish();
rollback;

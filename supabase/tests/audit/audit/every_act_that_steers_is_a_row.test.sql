begin;
select plan(11);
select tap.tenant();
create function pg_temp.last() returns text language sql as $$
  select concat_ws(' by ', action, actor) from nofx.audit_log where tenant_id = current_setting('tap.tenant')::uuid order by seq desc limit 1
$$;
select tap.run_of('chain', 2, '{"max_attempts": 1}');
select is(pg_temp.last(), 'run.submitted by a contributor');
select nofx.pause_run(tap.run());
select is(pg_temp.last(), 'run.paused by a contributor');
select nofx.resume_run(tap.run());
select is(pg_temp.last(), 'run.resumed by a contributor');
select tap.be('supervisor');
select nofx.request_gate(tap.run(), tap.step('s1'), 'manual:look', 'is it good?');
select is(pg_temp.last(), 'gate.requested by a supervisor');
select tap.claim();
select tap.fail_step('s0');
select tap.be('contributor');
select nofx.retry_run(tap.run(), 'once more');
select is(pg_temp.last(), 'run.retried by a contributor');
select tap.claim();
select tap.fail_step('s0');
select tap.be('contributor');
select nofx.retry_step(tap.run(), tap.step('s0'));
select is(pg_temp.last(), 'step.retried by a contributor');
select nofx.cancel_run(tap.run(), 'not needed');
select is(pg_temp.last(), 'run.cancelled by a contributor');
select is((select tap.opened(p.audit_id, p.sealed) from nofx.audit_payload p join nofx.audit_log a on a.id = p.audit_id
            where a.action = 'run.cancelled' and a.run_id = tap.run()), '{"after": {"reason": "not needed"}}');
select nofx.cancel_run(tap.run());
select is((select count(*)::int from nofx.audit_log where action = 'run.cancelled' and run_id = tap.run()), 1, 'what changes nothing is none');
select nofx.create_run(tap.run(), '{"goal": "test"}', tap.steps('chain', 2));
select is((select count(*)::int from nofx.audit_log where action = 'run.submitted' and run_id = tap.run()), 1, 'a repeated id submits nothing');
-- What the API may call for people and changes something writes a row, but these: they count, note who was here, or answer a request.
select is(array(
  select p.proname::text
    from pg_proc p
   where p.pronamespace = 'nofx'::regnamespace and p.provolatile = 'v' and has_function_privilege('nofx_api', p.oid, 'execute')
     and p.prosrc !~ 'nofx_private\.audit\(' order by 1),
  array['begin_request', 'finish_request', 'record_sign_in'], 'no act goes unrecorded');
select * from finish();
rollback;

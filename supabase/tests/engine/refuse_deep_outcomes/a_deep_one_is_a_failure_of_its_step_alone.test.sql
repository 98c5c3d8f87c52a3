begin;
select plan(9);
select tap.tenant();
select tap.submit('[{"name": "a", "tool": "noop"}, {"name": "b", "tool": "noop"}, {"name": "c", "tool": "noop"}]');
select tap.claim();
create function pg_temp.nested(p_levels int) returns jsonb language sql as $$ select (repeat('[', p_levels) || '1' || repeat(']', p_levels))::jsonb $$;
select is(nofx.settle_steps('w', jsonb_build_array(
  tap.outcome('a', 'done', jsonb_build_object('outputs', jsonb_build_object('x', pg_temp.nested(120)), 'isolation', '{"level": "L2"}'::jsonb)),
  tap.outcome('b', 'done', jsonb_build_object('outputs', jsonb_build_object('x', pg_temp.nested(63)))),
  tap.outcome('c', 'failed', jsonb_build_object('error', jsonb_build_object('message', 'm', 'details', pg_temp.nested(500)), 'transient', true)))) ->> 'refused', '[]');
select is(tap.status('a'), 'failed');
select matches((select error ->> 'message' from nofx.step where id = tap.step('a')), 'nested too deep');
select is((select outputs from nofx.step where id = tap.step('a')), null);
select is((select isolation ->> 'level' from nofx.step_attempt where step_id = tap.step('a')), 'L2', 'what held is recorded all the same');
select is(tap.status('b'), 'succeeded', 'the others of its batch as they are');
select is((select outputs -> 'x' from nofx.step where id = tap.step('b')), pg_temp.nested(63));
select is(tap.status('c'), 'failed', 'an error, too');
select is(nofx_private.is_deep((select jsonb_agg(to_jsonb(s)) from nofx.step s where s.run_id = tap.run())), false, 'nothing deep was stored');
select * from finish();
rollback;

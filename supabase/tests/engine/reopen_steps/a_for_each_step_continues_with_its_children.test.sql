begin;
select plan(4);
-- A run of `each`, whose children have ended in some way, and of `bad`, which fails the run before or after `each` has ended.
create function pg_temp.fail_run(p_parent text, p_children text[]) returns void language plpgsql as $$
begin
  perform tap.tenant();
  perform tap.submit('[{"name": "each", "tool": "noop", "spec": {"for_each": "[1, 2]"}}, {"name": "bad", "tool": "noop"}, {"name": "after", "tool": "noop", "needs": [0]}]');
  perform tap.claim();
  if p_parent = 'expanding' then
    perform tap.fail_step('bad');
  end if;
  perform tap.settle('each', 'children', '{"children": [1, 2]}');
  perform tap.be_service();
  perform nofx.claim_steps('w', 2, p_step_ids => array(select tap.step(format('each[%s]', n)) from generate_series(0, 1) as n where p_children[n + 1] <> 'unclaimed'));
  perform tap.settle(format('each[%s]', n), p_children[n + 1], '{"error": {"message": "it broke"}}')
     from generate_series(0, 1) as n where p_children[n + 1] in ('done', 'failed', 'timed_out');
  if p_parent <> 'skipped' and 'each' = any (tap.claim()) then
    perform tap.settle('each', case when p_children = array['done', 'done'] and p_parent <> 'failed' then 'done' else 'failed' end, '{"error": {"message": "children"}}');
  end if;
  if p_parent <> 'expanding' then
    perform tap.fail_step('bad');
  end if;
  perform tap.settle(format('each[%s]', n)) from generate_series(0, 1) as n where p_children[n + 1] = 'running';
end
$$;
-- Lets everything succeed; returns the status of the run, and status and attempt of its steps by name.
create function pg_temp.finish() returns text language plpgsql as $$
begin
  for v_turn in 1..9 loop
    perform tap.settle(name) from unnest(tap.claim()) as name;
    exit when tap.run_status() <> 'running';
  end loop;
  return (select format('%s: %s', tap.run_status(), string_agg(format('%s %s', status, attempt), ', ' order by name collate "C")) from nofx.step where run_id = tap.run());
end
$$;
create function pg_temp.retry(p_parent text, p_children text[], p_step text) returns text language plpgsql as $$
begin
  perform pg_temp.fail_run(p_parent, p_children);
  if tap.run_status() <> 'failed' then
    return 'the run is ' || tap.run_status();
  end if;
  perform tap.be('contributor');
  if p_step is null then
    perform nofx.retry_run(tap.run());
  else
    perform nofx.retry_step(tap.run(), tap.step(p_step));
  end if;
  return pg_temp.finish();
end
$$;
create temporary table met on commit drop as
  select parent, array[a, b] as children
    from unnest(array['skipped', 'failed', 'expanding', 'succeeded']) as parent,
         unnest(array['done', 'failed', 'timed_out', 'running', 'unclaimed']) as a,
         unnest(array['done', 'failed', 'timed_out', 'running', 'unclaimed']) as b
   where a <= b and case parent when 'skipped' then true when 'succeeded' then a || b = 'donedone' else not array[a, b] && array['running', 'unclaimed'] end;

select is((select count(*)::int from met), 28);
select is_empty($$
  select m.parent, m.children, retried
    from met m, pg_temp.retry(m.parent, m.children, null) as retried
   where retried not similar to 'succeeded: succeeded _, succeeded _, succeeded _, succeeded _, succeeded _' $$, 'a retry of the run');
select is_empty($$
  select m.parent, m.children, step, retried
    from met m, unnest(array['each', 'each[1]', 'bad']) as step, pg_temp.retry(m.parent, m.children, step) as retried
   where retried not similar to '(succeeded|failed): %' or retried like 'succeeded:%failed%' $$, 'a retry of a step');
select is(pg_temp.retry('skipped', array['done', 'failed'], null), 'succeeded: succeeded 1, succeeded 2, succeeded 1, succeeded 1, succeeded 2',
  'what succeeded keeps its result');
select * from finish();
rollback;

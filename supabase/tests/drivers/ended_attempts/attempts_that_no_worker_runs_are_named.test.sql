begin;
select plan(4);
select tap.tenant();
select tap.run_of('loose', 2);
select tap.be_service();
select results_eq($$ select nofx.ended_attempts(array[tap.step('s0')], array[1]) $$, $$ values (1) $$, 'it has not begun');
select tap.claim();
select results_eq(
  $$ select nofx.ended_attempts(array[tap.step('s0'), tap.step('s0'), tap.step('s1'), gen_random_uuid()], array[1, 2, 1, 1]) $$,
  $$ values (2), (4) $$, 'what runs is not named, another attempt and a step that is not there are');
select nofx.settle_steps('w', jsonb_build_array(tap.outcome('s0')));
select results_eq($$ select nofx.ended_attempts(array[tap.step('s1'), tap.step('s0')], array[1, 1]) $$, $$ values (2) $$);
select is_empty($$ select nofx.ended_attempts('{}', '{}') $$);
select * from finish();
rollback;

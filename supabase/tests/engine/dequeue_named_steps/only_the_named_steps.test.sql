begin;
select plan(2);
select tap.tenant();
select tap.run_of('loose', 3);
select is(nofx_private.dequeue_named_steps(array[tap.step('s1'), gen_random_uuid()], 10, null), array[tap.step('s1')]);
select is(nofx_private.dequeue_named_steps(array[tap.step('s1')], 10, null), null, 'once');
select * from finish();
rollback;

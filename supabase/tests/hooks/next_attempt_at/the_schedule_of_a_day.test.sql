begin;
select plan(4);
select ok(nofx_private.next_attempt_at(now(), 1, null) between now() + interval '5 seconds' and now() + interval '6 seconds');
select ok(nofx_private.next_attempt_at(now(), 4, null) between now() + interval '2 hours' and now() + interval '2 hours 7 minutes');
select is(nofx_private.next_attempt_at(now() - interval '24 hours', 10, null), null);
select ok(nofx_private.next_attempt_at(now(), 1, 3600) >= now() + interval '1 hour', 'as the receiver asked');
select * from finish();
rollback;

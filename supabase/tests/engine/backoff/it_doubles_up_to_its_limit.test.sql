begin;
select plan(5);
select ok(nofx_private.backoff('{"retry": {"jitter": 0}}', 1) = interval '0.5 seconds', 'first');
select ok(nofx_private.backoff('{"retry": {"jitter": 0}}', 3) = interval '2 seconds', 'third');
select ok(nofx_private.backoff('{"retry": {"jitter": 0, "max_ms": 1500}}', 9) = interval '1.5 seconds', 'limited');
select ok(nofx_private.backoff('{"retry": {"jitter": 0.2}}', 1) between interval '0.4 seconds' and interval '0.6 seconds', 'jitter');
select ok(nofx_private.backoff('{}', 1000000) <= interval '72 seconds', 'after many failures');
select * from finish();
rollback;

begin;
select plan(7);
select ok(nofx_private.backoff(spec::jsonb, 1) between interval '0.4 seconds' and interval '0.6 seconds', spec) from unnest(array[
  '{"retry": {"factor": {}}}', '{"retry": []}', '{"retry": {"initial_ms": "x"}}', '1', '{"retry": null}']) as spec;
select ok(nofx_private.backoff('{"retry": {"initial_ms": 18446744073709551615, "max_ms": 18446744073709551615, "jitter": 0}}', 60) = interval '2592000 seconds', 'at most 30 days');
select ok(nofx_private.backoff(null, 1) > interval '0', 'no spec');
select * from finish();
rollback;

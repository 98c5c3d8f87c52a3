begin;
select plan(5);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
create function pg_temp.going() returns text[] language sql as $$
  select coalesce(array_agg(blob order by blob), '{}') from nofx_private.blob_to_remove where blob like 'again-%'
$$;
select tap.save('s0', 'log.txt', 'again-1');
select tap.save('s0', 'log.txt', 'again-1');
select is(pg_temp.going(), '{}', 'the same bytes');
select tap.save('s0', 'log.txt', 'again-2');
select is(pg_temp.going(), array['again-1'], 'nobody has them any more');
select tap.save('s0', 'copy.txt', 'again-2');
select tap.save('s0', 'log.txt', 'again-3');
select is((select count(*)::int from nofx.artifact where run_id = tap.run()), 2);
select is((select array_agg(blob) from json_array_elements_text(nofx.blobs_to_delete() -> 'blobs') as blob where blob like 'again-%'), array['again-1'], 'another artifact has the second');
select is((select array_agg(blob order by blob) from nofx.artifact where run_id = tap.run()), array['again-2', 'again-3']);
select * from finish();
rollback;

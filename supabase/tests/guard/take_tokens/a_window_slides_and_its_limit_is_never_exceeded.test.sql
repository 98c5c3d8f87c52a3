begin;
select plan(6);
select tap.tenant();
select throws_ok($$ select nofx.take_tokens('[]') $$, 'PT403', 'forbidden');
select tap.be_service();
create function pg_temp.used(p_count int) returns text language sql as $$
  select granted || ' ' || remaining from nofx.take_tokens(jsonb_build_array(jsonb_build_object('key', 'reads:x', 'n', p_count, 'limit', 10, 'window_s', 60, 'rejected', 2)))
$$;
select is(pg_temp.used(4), '4 6');
select is(pg_temp.used(9), '6 0', 'the remaining tokens');
select is(pg_temp.used(1), '0 0');
-- Ten used in the previous window, which still counts in part.
update nofx_private.rate_window set started_at = started_at - interval '60 seconds' where key = 'reads:x';
select cmp_ok(split_part(pg_temp.used(10), ' ', 1)::int, '<=', (select ceil(10 * extract(epoch from now() - to_timestamp(floor(extract(epoch from now()) / 60) * 60)) / 60)::int + 1));
select is((select rejected from nofx_private.rate_limit_rejection where policy = 'reads'), 8::bigint);
select * from finish();
rollback;

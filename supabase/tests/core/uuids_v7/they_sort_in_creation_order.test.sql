begin;
select plan(4);
create temp table made as select id, n from unnest(nofx_private.uuids_v7(9000)) with ordinality as made (id, n);
select is((select count(*) from (select n, row_number() over (order by id) as place from made) as sorted where n <> place), 0::bigint, 'nine thousand, in order');
select is((select count(distinct id) from made), 9000::bigint);
select ok(bool_and(substr(id::text, 15, 1) = '7' and substr(id::text, 20, 1) in ('8', '9', 'a', 'b')), 'version and variant') from made;
select is(cardinality(nofx_private.uuids_v7(0)), 0);
select * from finish();
rollback;

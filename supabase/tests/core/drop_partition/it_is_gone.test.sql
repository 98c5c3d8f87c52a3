begin;
select plan(2);
create table nofx.event_20200101 partition of nofx.event for values from ('2020-01-01') to ('2020-01-02');
select is(nofx_private.drop_partition('event_20200101'), true);
select is(to_regclass('nofx.event_20200101'), null);
select * from finish();
rollback;

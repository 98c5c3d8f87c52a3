begin;
select plan(2);
select tap.tenant();
create function pg_temp.day(p_ago int) returns text language plpgsql as $$
declare
  v_day date := current_date - p_ago;
  v_name text := 'event_' || to_char(v_day, 'YYYYMMDD');
begin
  execute format('create table nofx.%I partition of nofx.event for values from (%L) to (%L)', v_name, v_day, v_day + 1);
  return v_name;
end
$$;
create temporary table day as select pg_temp.day(90) as kept, pg_temp.day(91) as gone;
select tap.be_service();
select results_eq('select * from nofx.maintain_event_partitions()', 'select gone from day');
select isnt(to_regclass('nofx.' || kept), null) from day;
select * from finish();
rollback;

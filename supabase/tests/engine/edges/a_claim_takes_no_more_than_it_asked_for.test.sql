begin;
select plan(2);
create temporary table t (id uuid);
insert into t select tap.tenant() from generate_series(1, 3);
create function pg_temp.one_for(p_tenant uuid) returns void language plpgsql as $$
begin
  perform set_config('tap.tenant', p_tenant::text, true);
  perform tap.run_of('loose', 1);
end
$$;
select pg_temp.one_for(id) from t;
select is(cardinality(nofx_private.take_doorbells(array(select id from t), 2, null)), 2, 'of three tenants');
select is(cardinality(nofx_private.take_doorbells(array(select id from t), 2, null)), 1, 'the third is still there');
select * from finish();
rollback;

begin;
select plan(3);
select tap.tenant();
insert into nofx.event (tenant_id, type, tx) select current_setting('tap.tenant')::uuid, 'e' || n, n from generate_series(1, 5) as n;
select results_eq($$ select tap.seen('select type from nofx.read_events(p_limit => 2)') $$, $$ values ('e1'), ('e2') $$, 'from the beginning');
select results_eq($$ select tap.seen('select type from nofx.read_events(p_after_tx => 2, p_after_id => 9223372036854775807)') $$, $$ values ('e3'), ('e4'), ('e5') $$, 'after a cursor');
select results_eq($$ select tap.seen($q$ select type from nofx.read_events(p_types => array['e4']) $q$) $$, $$ values ('e4') $$, 'of one type');
select * from finish();
rollback;

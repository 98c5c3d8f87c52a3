begin;
select plan(3);
select tap.tenant();
-- Half a MiB each; compressed they are a few KiB.
insert into nofx.event (tenant_id, type, tx, data)
select current_setting('tap.tenant')::uuid, 'e' || n, n, jsonb_build_object('a', repeat('x', 524300)) from generate_series(1, 3) as n;
select results_eq($$ select tap.seen($q$ select type || ' ' || more from nofx.read_events() $q$) $$, $$ values ('e1 false'), ('e2 true') $$, 'with the event that reaches it');
select results_eq($$ select tap.seen($q$ select type || ' ' || more from nofx.read_events(p_after_tx => 2, p_after_id => 9223372036854775807) $q$) $$,
  $$ values ('e3 false') $$, 'the next page goes on behind it');
update nofx.event set data = jsonb_build_object('a', repeat('x', 2000000)) where tenant_id = current_setting('tap.tenant')::uuid;
select results_eq($$ select tap.seen($q$ select type || ' ' || more from nofx.read_events() $q$) $$, $$ values ('e1 true') $$, 'a page has at least one event');
select * from finish();
rollback;

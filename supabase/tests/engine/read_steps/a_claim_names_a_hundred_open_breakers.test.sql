begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 1);
select tap.claim();
insert into nofx.handler_health (tenant_id, target, state, probe_at, opened_at)
select current_setting('tap.tenant')::uuid, 'http:h' || n, 'open', now(), now() from generate_series(1, 300) as n;
select is(json_array_length(nofx_private.read_steps(array[tap.step('s0')], '{}') -> 0 -> 'open_breakers'), 100);
select * from finish();
rollback;

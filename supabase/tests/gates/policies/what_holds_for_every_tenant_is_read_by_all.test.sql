begin;
select plan(1);
select tap.tenant();
insert into nofx.gate_policy (id, tool, changed_by) values (gen_random_uuid(), 'of_all', 'a');
select is(tap.least_reader($$ nofx.gate_policy where tool = 'of_all' $$), 'outsider');
select * from finish();
rollback;

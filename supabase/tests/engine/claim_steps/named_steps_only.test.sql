begin;
select plan(1);
select tap.tenant();
select tap.run_of('loose', 3);
select tap.be_service();
select is((select array_agg(c ->> 'name') from json_array_elements(nofx.claim_steps('w', 9, p_step_ids => array[tap.step('s2')])) as c), array['s2']);
select * from finish();
rollback;

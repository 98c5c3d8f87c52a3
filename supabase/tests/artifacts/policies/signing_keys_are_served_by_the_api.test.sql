begin;
select plan(1);
select tap.tenant();
insert into nofx.signing_key (key_id, key) values ('sha256:' || repeat('a', 64), '{}');
-- No person has a right to the table: the policy applies if one is granted.
grant select on nofx.signing_key to nofx_api;
select is(tap.least_reader('nofx.signing_key'), null);
select * from finish();
rollback;

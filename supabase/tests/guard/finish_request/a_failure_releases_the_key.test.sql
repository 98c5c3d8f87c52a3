begin;
select plan(2);
select tap.tenant();
create temp table first as select nofx.begin_request('POST /runs', 'k', 'h') as r;
select nofx.finish_request('POST /runs', 'k', 503, '{}');
select is(nofx.begin_request('POST /runs', 'k', 'h') ->> 'state', 'new', 'it can be retried');
select is(nofx.begin_request('POST /runs', 'other', 'h') ->> 'resource_id' <> (select r ->> 'resource_id' from first), true);
select * from finish();
rollback;

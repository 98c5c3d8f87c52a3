begin;
select plan(2);
select is((select rolconfig from pg_roles where rolname = 'nofx_api'), '{statement_timeout=8s}', 'a request of a person holds a connection for eight seconds at most');
select is((select rolinherit and not rolcanlogin from pg_roles where rolname = 'nofx_api'), true, 'and nobody signs in with its role');
select * from finish();
rollback;

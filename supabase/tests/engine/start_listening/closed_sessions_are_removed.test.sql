begin;
select plan(2);
insert into nofx_private.listener (pid) values (1);
select nofx_private.start_listening();
select results_eq($$ select pid from nofx_private.listener where pid = 1 or pid = pg_backend_pid() $$, $$ values (pg_backend_pid()) $$);
select lives_ok($$ select nofx_private.start_listening() $$, 'again is not an error');
select * from finish();
rollback;

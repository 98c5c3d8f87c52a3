begin;
select plan(1);
select nofx_private.start_listening();
insert into nofx_private.listener (pid) values (-1);
select nofx_private.stop_listening();
select results_eq($$ select pid from nofx_private.listener where pid in (-1, pg_backend_pid()) $$, $$ values (-1) $$);
select * from finish();
rollback;

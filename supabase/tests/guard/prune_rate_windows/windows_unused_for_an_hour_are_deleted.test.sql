begin;
select plan(1);
insert into nofx_private.rate_window values ('a', now() - interval '2 hours', 1, 0), ('b', now(), 1, 0);
select nofx_private.prune_rate_windows();
select results_eq($$ select key from nofx_private.rate_window where key in ('a', 'b') $$, $$ values ('b') $$);
select * from finish();
rollback;

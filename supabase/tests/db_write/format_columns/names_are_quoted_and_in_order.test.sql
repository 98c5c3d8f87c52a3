begin;
select plan(3);
select is(nofx_private.format_columns('{b, a}', '%1$I = v.%1$I'), 'a = v.a, b = v.b');
select is(nofx_private.format_columns(array['a"; drop table x; --'], 't.%I', ' and '), 't."a""; drop table x; --"');
select is(nofx_private.format_columns('{}', '%I'), null);
select * from finish();
rollback;

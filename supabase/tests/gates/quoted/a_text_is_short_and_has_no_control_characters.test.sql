begin;
select plan(3);
select is(nofx_private.quoted(E'a\nb'), '`a b`');
select is(nofx_private.quoted(null, 'none'), 'none');
select is(nofx_private.quoted(repeat('x', 81)), '`' || repeat('x', 80) || '…`');
select * from finish();
rollback;

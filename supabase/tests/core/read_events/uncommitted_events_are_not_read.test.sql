begin;
select plan(1);
select tap.tenant();
select nofx_private.emit(array[row (current_setting('tap.tenant'), null, null, 'young', '{}')::nofx_private.new_event]);
select is_empty($$ select tap.seen('select type from nofx.read_events()') $$, 'an older transaction may still commit before it');
select * from finish();
rollback;

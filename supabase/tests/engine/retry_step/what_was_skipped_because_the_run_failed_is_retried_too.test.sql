begin;
select plan(5);
select tap.tenant();
select tap.be('contributor');
select tap.submit('[{"name": "bad", "tool": "noop"}, {"name": "worse", "tool": "noop"}, {"name": "long", "tool": "noop"}, {"name": "next", "tool": "noop", "needs": [2]},
  {"name": "optional", "tool": "noop", "on_failure": "skip"}, {"name": "extra", "tool": "noop", "needs": [4, 2]}]');
select tap.claim(), tap.fail_step('bad');
select tap.settle('long'), tap.fail_step('optional');
savepoint failing;

select tap.settle('worse');
select is(array[tap.run_status(), tap.status('next'), tap.status('extra')], array['failed', 'skipped', 'skipped']);
select tap.be('contributor');
select nofx.retry_step(tap.run(), tap.step('bad'));
select is(array[tap.status('next'), tap.status('extra')], array['ready', 'skipped'], 'not what another failed step blocks');
select tap.claim(), tap.settle('bad'), tap.settle('next');
select is(tap.run_status(), 'succeeded');

rollback to failing;
select tap.fail_step('worse');
select tap.be('contributor');
select nofx.retry_step(tap.run(), tap.step('bad'));
select is(tap.status('next'), 'skipped', 'nor while another step fails the run');
select tap.claim(), tap.settle('bad');
select is(tap.run_status(), 'failed');
select * from finish();
rollback;

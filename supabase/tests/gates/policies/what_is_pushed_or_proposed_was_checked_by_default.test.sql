begin;
select plan(3);
select is((select array_agg(tool order by tool) from nofx.gate_policy where tenant_id is null
            and requires = '["gate:typecheck", "gate:lint", "gate:unit", "gate:coverage"]'), array['git:pr', 'git:push']);
select tap.tenant();
select tap.submit('[{"name": "push", "tool": "git:push"}]');
select is((select nofx_private.hold_for(s) ->> 'refuse' from nofx.step s where id = tap.step('push')),
  'the policy for git:push requires gate:coverage and gate:lint and gate:typecheck and gate:unit to have passed in this run');
select tap.be('admin');
select nofx.set_gate_policy('git:push');
select is((select nofx_private.hold_for(s) from nofx.step s where id = tap.step('push')), null, 'an exception is the tenant''s');
select * from finish();
rollback;

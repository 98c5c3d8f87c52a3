begin;
select plan(1);
select set_eq($$
    select 'step ' || a || '>' || b
      from unnest(enum_range(null::nofx.step_status)::text[]) as a, unnest(enum_range(null::nofx.step_status)::text[]) as b,
           lateral (select substring(pg_get_functiondef('nofx_private.check_step_transition'::regproc) from 'case old.status (.*) else false') as rule) as r
     where substring(r.rule from 'when ''' || a || ''' then new.status in \(([^)]*)\)') ~ ('''' || b || '''')
    union all
    select 'run ' || a || '>' || b
      from unnest(enum_range(null::nofx.run_status)::text[]) as a, unnest(enum_range(null::nofx.run_status)::text[]) as b,
           lateral (select substring(pg_get_functiondef('nofx_private.check_run_transition'::regproc) from 'case old.status (.*) else false') as rule) as r
     where substring(r.rule from 'when ''' || a || ''' then new.status in \(([^)]*)\)') ~ ('''' || b || '''') $$,
  $$ select machine || ' ' || source || '>' || target from nofx.transition $$);
select * from finish();
rollback;

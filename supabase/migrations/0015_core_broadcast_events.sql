-- Broadcasts new events through Supabase Realtime: one private message per tenant and statement, on the topic tenant:<id>.
-- The message is a hint (Realtime may lose one, and swallows every error): {events: [{id, type, runid, stepid}]}, where id is the
-- event's cursor, at most 100 of them. Clients that must not miss events read the log from their last cursor.
-- Takes: nothing; a statement trigger on nofx.event.
-- Locks: nothing.
-- Returns: null.
-- Raises: nothing.
create function nofx_private.broadcast_events()
returns trigger
language plpgsql
security definer set search_path = ''
as $$
begin
  if to_regprocedure('realtime.send(jsonb,text,text,boolean)') is null then
    return null;
  end if;
  perform realtime.send(jsonb_build_object('events', hints), 'events', 'tenant:' || tenant_id, true)
     from (select tenant_id, jsonb_agg(jsonb_build_object('id', tx || '-' || id, 'type', type, 'runid', run_id, 'stepid', step_id) order by id) as hints
             from (select *, row_number() over (partition by tenant_id order by id) as ordinal from written) as numbered
            where ordinal <= 100
            group by tenant_id) as topics;
  return null;
end
$$;

create trigger broadcast after insert on nofx.event
  referencing new table as written
  for each statement execute function nofx_private.broadcast_events();

-- Members of the tenant may join its private topic. Realtime checks this policy when a client joins, with the client's own token: the one thing that
-- a token of a person does here without the API. It tells nothing of the rows but that there are new events.
do $$
begin
  if to_regclass('realtime.messages') is not null then
    create policy nofx_own_tenant on realtime.messages for select to authenticated
      using (extension = 'broadcast' and (select realtime.topic()) = 'tenant:' || (select nofx_private.caller_tenant()));
    grant execute on function nofx_private.caller_tenant() to authenticated;
  end if;
end
$$;

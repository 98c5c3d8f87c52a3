-- Helpers of the pgTAP tests: people, runs in a few shapes, and a worker's calls. Loaded once, into schema `tap`.
-- Each test runs in a transaction that is rolled back.

-- Creates a tenant; the test continues as its contributor.
create function tap.tenant() returns uuid language plpgsql as $$
declare
  v_tenant uuid := nofx_private.uuid_v7();
begin
  perform tap.be_service();
  perform nofx.create_tenant(v_tenant, 'test');
  perform set_config('tap.tenant', v_tenant::text, true);
  perform tap.be('contributor');
  return v_tenant;
end
$$;

-- What the API would send for a text, in form: tests of the database open nothing.
create function tap.sealed(p_text text) returns text language sql immutable as $$
  select 'sealed.k1.d3JhcHBlZA==.' || translate(encode(convert_to(p_text, 'UTF8'), 'base64'), E'\n', '')
$$;

-- Continues with the key that the API and workers send with each call, for payloads of the audit log.
create function tap.bring_key() returns void language sql as $$
  select set_config('request.headers', (coalesce(nullif(current_setting('request.headers', true), '')::jsonb, '{}')
    || jsonb_build_object('x-nofx-audit-key', 'k1.' || repeat('d3Jh', 20) || '.' || translate(encode(sha256('key'), 'base64'), E'\n', '')))::text, true)
$$;

-- Opens a payload of the audit log that was sealed with the key of tap.bring_key.
create function tap.opened(p_id uuid, p_sealed text) returns text language plpgsql as $$
declare
  v_all bytea := decode(p_sealed, 'base64');
  v_key bytea := sha256('key');
  v_end int := length(v_all) - 32;
begin
  if extensions.hmac(uuid_send(p_id) || substr(v_all, 1, v_end), extensions.hmac('authenticate'::bytea, v_key, 'sha256'), 'sha256') <> substr(v_all, v_end + 1) then
    return 'forged';
  end if;
  return convert_from(extensions.decrypt_iv(substr(v_all, 17, v_end - 16), extensions.hmac('encrypt'::bytea, v_key, 'sha256'), substr(v_all, 1, 16), 'aes-cbc/pad:pkcs'), 'UTF8');
end
$$;

-- Continues as a person of the tenant.
create function tap.be(p_role text, p_tenant uuid default current_setting('tap.tenant')::uuid) returns void language sql as $$
  select tap.bring_key();
  select set_config('request.jwt.claims', json_build_object('role', 'authenticated', 'sub', 'a ' || p_role,
    'app_metadata', json_build_object('tenant_id', p_tenant, 'nofx_role', p_role))::text, true)
$$;

-- Continues as a worker.
create function tap.be_service() returns void language sql as $$
  select tap.bring_key();
  select set_config('request.jwt.claims', '{"role": "service_role"}', true)
$$;

-- Builds the steps of a plan: chain (s0 → s1 → …), fan (first → m0 … → last), loose (no needs).
create function tap.steps(p_shape text, p_count int, p_more jsonb default '{}') returns jsonb language sql as $$
  select jsonb_agg(step || p_more || coalesce(step -> 'own', '{}') order by n)
    from (
      select n, jsonb_build_object('tool', 'noop', 'needs', case when p_shape = 'chain' and n > 0 then jsonb_build_array(n - 1) else '[]' end,
               'name', 's' || n) as step
        from generate_series(0, p_count - 1) as n
       where p_shape in ('chain', 'loose')
      union all
      select n, jsonb_build_object('tool', 'noop',
               'needs', case when n = 0 then '[]' when n <= p_count then '[0]' else (select jsonb_agg(m) from generate_series(1, p_count) as m) end,
               'name', case when n = 0 then 'first' when n <= p_count then 'm' || n - 1 else 'last' end)
        from generate_series(0, p_count + 1) as n
       where p_shape = 'fan'
    ) as made
$$;

-- Submits a run as a contributor of the tenant; it becomes the run of the test.
create function tap.run_of(p_shape text, p_count int, p_more jsonb default '{}', p_run jsonb default '{}') returns uuid language plpgsql as $$
begin
  perform tap.be('contributor');
  return tap.submit(tap.steps(p_shape, p_count, p_more), p_run);
end
$$;

create function tap.submit(p_steps jsonb, p_run jsonb default '{}') returns uuid language plpgsql as $$
declare
  v_run uuid := nofx_private.uuid_v7();
begin
  perform nofx.create_run(v_run, '{"goal": "test"}'::jsonb || p_run, p_steps);
  perform set_config('tap.run', v_run::text, true);
  return v_run;
end
$$;

create function tap.run() returns uuid language sql stable as $$ select current_setting('tap.run')::uuid $$;
create function tap.step(p_name text) returns uuid language sql stable as $$
  select id from nofx.step where run_id = tap.run() and name = p_name
$$;
create function tap.status(p_name text) returns text language sql stable as $$
  select status::text from nofx.step where run_id = tap.run() and name = p_name
$$;
create function tap.run_status() returns text language sql stable as $$ select status::text from nofx.run where id = tap.run() $$;
-- The events of the run, in order.
create function tap.events() returns text[] language sql stable as $$
  select array_agg(type || coalesce(' ' || (data ->> 'name'), '') order by tx, id) from nofx.event where run_id = tap.run()
$$;

-- What the evidence of a gate says that chose a known tool itself and passed; with other fields.
create function tap.asked(p_more jsonb default '{}') returns jsonb language sql immutable as $$
  select '{"verdict": "pass", "command": "cargo test", "is_known": true, "unjudged": [], "cwd": null, "report": null, "format": null, "fail_on": "error",
    "threshold_milli": null, "exclude": [], "accept": [], "base": null, "base_from": null, "is_measured": null, "tests": 3, "env": [], "image": null,
    "of_kind": null}'::jsonb || p_more
$$;

-- Claims as a worker; returns the names of the steps, sorted.
create function tap.claim(p_count int default 100, p_worker text default 'w') returns text[] language plpgsql as $$
declare
  v_claims json;
begin
  perform tap.be_service();
  v_claims := nofx.claim_steps(p_worker, p_count);
  return (select coalesce(array_agg(c ->> 'name' order by c ->> 'name'), '{}') from json_array_elements(v_claims) as c);
end
$$;

-- Builds the outcome of a running step.
create function tap.outcome(p_name text, p_kind text default 'done', p_more jsonb default '{}') returns jsonb language sql stable as $$
  select jsonb_build_object('step_id', id, 'token', lease_token, 'kind', p_kind) || p_more
    from nofx.step where run_id = tap.run() and name = p_name
$$;

-- Settles one step as a worker, and claims up to p_capacity more.
create function tap.settle(p_name text, p_kind text default 'done', p_more jsonb default '{}', p_capacity int default 0) returns json language plpgsql as $$
begin
  perform tap.be_service();
  return nofx.settle_steps('w', jsonb_build_array(tap.outcome(p_name, p_kind, p_more)), p_capacity);
end
$$;
create function tap.fail_step(p_name text, p_more jsonb default '{}') returns json language sql as $$
  select tap.settle(p_name, 'failed', '{"error": {"message": "it broke"}}'::jsonb || p_more)
$$;

-- Runs a query of one text column with row-level security: as the API does on the caller's behalf, or as another role of the database.
create function tap.seen(p_query text, p_database_role text default 'nofx_api') returns setof text language plpgsql as $$
begin
  perform set_config('role', p_database_role, true);
  return query execute p_query;
  reset role;
end
$$;

-- Returns the lowest role that can read rows of a table (with an optional condition): `outsider` when people of another tenant can, null
-- when no person can.
create function tap.least_reader(p_rows text, p_database_role text default 'nofx_api') returns text language plpgsql as $$
declare
  v_role text;
begin
  perform tap.be('admin', gen_random_uuid());
  if exists (select from tap.seen('select null from ' || p_rows, p_database_role)) then
    return 'outsider';
  end if;
  foreach v_role in array enum_range(null::nofx.person_role)::text[] loop
    perform tap.be(v_role);
    if exists (select from tap.seen('select null from ' || p_rows, p_database_role)) then
      return v_role;
    end if;
  end loop;
  return null;
end
$$;

-- Saves an artifact of a running step, as a worker; returns its id, null when the lease has expired.
create function tap.save(p_step text, p_name text, p_blob text default 'b', p_token uuid default null) returns uuid language plpgsql as $$
begin
  perform tap.be_service();
  return (select nofx.record_artifact(id, coalesce(p_token, lease_token), jsonb_build_object('name', p_name, 'uri', run_id || '/' || p_name,
            'blob', p_blob, 'type', 'text/plain', 'size_bytes', 3, 'hash', 'sha256:' || repeat('a', 64),
            'attestations', '[{"predicate_type": "p", "subjects": ["sha256:a"], "key_id": "k", "envelope": {}}]'::jsonb))
            from nofx.step where run_id = tap.run() and name = p_step);
end
$$;

-- Creates the table `public.ticket`, a rule that lets a tenant write `status` and `note` of the team `support`, and a running step.
create function tap.tickets(p_ops text[] default array['insert', 'update', 'upsert', 'delete'], p_more jsonb default '{}') returns void language plpgsql as $$
begin
  create table public.ticket (id int primary key, team text default 'support', status text not null, note text, secret text default 's');
  insert into public.ticket (id, team, status) values (1, 'support', 'open'), (2, 'support', 'open'), (3, 'other', 'open');
  perform tap.tenant();
  perform tap.run_of('loose', 1, '{"tool": "db_write", "spec": {"inputs": {"op": "insert"}}}');
  perform tap.claim();
  perform nofx.set_db_write_rule(current_setting('tap.tenant')::uuid, 'public.ticket', p_ops, '{"columns": ["id", "status", "note"], "read": ["team"],
    "rows": [{"column": "team", "op": "eq", "value": "support"}], "checks": [{"column": "status", "op": "in", "value": ["open", "closed"]}], "max_rows": 2}'::jsonb || p_more);
end
$$;

-- Executes a write of the step.
create function tap.write(p_write jsonb) returns jsonb language sql as $$
  select nofx_private.apply_write(s, '{"table": "public.ticket"}'::jsonb || p_write) from nofx.step s where id = tap.step('s0')
$$;

-- Begins a model call, as the worker that runs step s0.
create function tap.begin_call(p_call jsonb) returns json language plpgsql as $$
begin
  perform tap.be_service();
  return (select nofx.begin_model_call(id, lease_token, '{"hash": "h", "task": "docs", "usd": 1, "tokens": 100}'::jsonb || p_call)
            from nofx.step where run_id = tap.run() and name = 's0');
end
$$;

-- Calls the function that executes steps, as the worker that runs a step; p_more changes what it names.
create function tap.call_function(p_step text, p_hash text default 'h', p_more jsonb default '{}', p_nonce uuid default gen_random_uuid()) returns jsonb language plpgsql as $$
begin
  perform tap.be_service();
  return (select nofx.begin_function_call(jsonb_build_object('tenant_id', tenant_id, 'run_id', run_id, 'step_id', id, 'attempt', attempt,
            'token', lease_token, 'tool', tool) || p_more, p_nonce, p_hash, 45)
            from nofx.step where run_id = tap.run() and name = p_step);
end
$$;
-- Answers its call.
create function tap.answer_function(p_step text, p_execution text, p_answer jsonb, p_hash text default 'h') returns boolean language plpgsql as $$
begin
  perform tap.be_service();
  return nofx.finish_function_call(tap.step(p_step), p_hash, p_execution::uuid, p_answer);
end
$$;

-- The tables that `db_write` steps of a tenant may change, and how. Operators set the rules: the tables belong to the database.
create table nofx.db_write_rule (
  id uuid primary key,
  tenant_id uuid not null references nofx.tenant (id) on delete cascade,
  -- schema.table, as Postgres writes it.
  table_name text not null,
  allowed_ops text[] not null check (cardinality(allowed_ops) > 0 and allowed_ops <@ array['insert', 'update', 'upsert', 'delete']),
  -- {columns: may be written, read: may also be filtered by and returned, rows: [{column, op, value}], conditions that every written
  --  or deleted row must meet before and after, required_filters: columns that update and delete must filter by, checks:
  --  [{column, op, value}], conditions on new values, max_rows}
  constraints jsonb not null,
  changed_at timestamptz not null default now(),
  unique (tenant_id, table_name)
);

select nofx_private.secure_table('nofx.db_write_rule');

-- The role that writes: it has only the rights that rules grant.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'nofx_writer') then
    create role nofx_writer nologin noinherit;
  end if;
  execute format('grant nofx_writer to %I', current_user);
end
$$;
revoke all on schema public from nofx_writer;

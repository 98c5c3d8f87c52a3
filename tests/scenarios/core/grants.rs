//! Who may do what in the database, by its catalogue: a grant that nobody wrote down is one that nobody decided.

use nofx_tests::stack::STACK;

use super::interface::same;

/// Rights on the schemas, their tables, columns, sequences, types and functions, of all but their owner: what was granted, and what everyone has
/// because nobody revoked it; what an object gets that will be made; and who is a member of our roles. Partitions of events come and go.
const GRANTS: &str = "
    with spaces as (
      select oid, nspname::text as name, nspacl, nspowner from pg_namespace where nspname in ('nofx', 'nofx_private', 'observability', 'ops')
    ), objects as (
      select 1 as kind, 'schema' as what, s.name, s.nspowner as owner, null::text as col, coalesce(s.nspacl, acldefault('n', s.nspowner)) as acl
        from spaces s
      union all
      select 0, 'new', made.what || ' in ' || s.name, s.nspowner, null,
             coalesce((select d.defaclacl from pg_default_acl d where d.defaclrole = s.nspowner and d.defaclnamespace = 0 and d.defaclobjtype = made.kind),
                      acldefault(made.code, s.nspowner))
             || coalesce((select d.defaclacl from pg_default_acl d where d.defaclrole = s.nspowner and d.defaclnamespace = s.oid and d.defaclobjtype = made.kind), '{}')
        from spaces s
       cross join (values ('r'::\"char\", 'r'::\"char\", 'tables'), ('S', 's', 'sequences'), ('f', 'f', 'functions'), ('T', 'T', 'types')) as made (kind, code, what)
      union all
      select case c.relkind when 'S' then 3 else 2 end, case c.relkind when 'S' then 'sequence' else 'table' end, s.name || '.' || c.relname, c.relowner, null,
             coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::\"char\", c.relowner))
        from pg_class c join spaces s on s.oid = c.relnamespace
       where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and (not c.relispartition or c.relname = 'event_default')
      union all
      select 2, 'table', s.name || '.' || c.relname, c.relowner, a.attname::text, a.attacl
        from pg_class c join spaces s on s.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and a.attacl is not null
       where not c.relispartition or c.relname = 'event_default'
      union all
      -- Whoever can name a type can use it, unless it was granted to some.
      select 4, 'type', s.name || '.' || t.typname, t.typowner, null, t.typacl
        from pg_type t join spaces s on s.oid = t.typnamespace where t.typacl is not null
      union all
      select 5, 'function', s.name || '.' || p.proname || '(' || oidvectortypes(p.proargtypes) || ')', p.proowner, null,
             coalesce(p.proacl, acldefault('f', p.proowner))
        from pg_proc p join spaces s on s.oid = p.pronamespace
    ), rights as (
      select o.kind, o.what, o.name, case when g.grantee = 0 then 'everyone' else g.grantee::regrole::text end as role,
             lower(g.privilege_type) as privilege, o.col
        from objects o cross join lateral aclexplode(o.acl) as g
       where g.grantee <> o.owner
      union all
      select 6, 'role', r.rolname, m.member::regrole::text, 'member', null
        from pg_auth_members m join pg_roles r on r.oid = m.roleid
       where (r.rolname like 'nofx%' or m.member::regrole::text like 'nofx%') and m.member <> (select min(nspowner::text)::regrole from spaces)
    ), grouped as (
      select kind, what, name, role, privilege, string_agg(col, ', ' order by col) as columns from rights group by 1, 2, 3, 4, 5
    )
    select what, name, string_agg(format('`%s`: %s', role, privilege || coalesce(' (' || columns || ')', '')), '; ' order by role collate \"C\", privilege)
      from grouped group by kind, what, name order by kind, name collate \"C\"";

#[tokio::test]
async fn every_grant_is_written_down() {
    let rows = STACK.sql().await.query(GRANTS, &[]).await.expect("the catalogue");
    let mut text = "# Grants\n\nWhat each role may do in the database, made from its catalogue by a test; why, is in [ADR 18](../adr/0018-the-api-reads-and-calls.md). \
        `authenticated` is a token\nof a person, `nofx_api` the API on a caller's behalf, `service_role` workers and the API's own work, `nofx_writer` writes of `db_write`, `everyone` any role. What\n\
        is not listed, only the owner may do; `new` is what an object has that will be made. Row-level security decides which rows of a table a role sees.\n\n| | | who may do what |\n| --- | --- | --- |\n"
        .to_owned();
    for row in &rows {
        let (what, name, rights): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
        text.push_str(&format!("| {what} | `{name}` | {rights} |\n"));
    }
    assert!(rows.len() > 100, "the grants were not found: {}", rows.len());
    same("grants.md", &text);
}

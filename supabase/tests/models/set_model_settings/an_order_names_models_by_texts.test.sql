begin;
select plan(5);
select tap.tenant();
select tap.be('admin');
select throws_ok(format('select nofx.set_model_settings(%L)', o), 'PT422', 'invalid-settings', o)
  from unnest(array['{"codegen": [1]}', '{"codegen": [["openai"]]}', '{"codegen": [null]}', '{"codegen": "openai"}']) as o;
select lives_ok($$ select nofx.set_model_settings('{"codegen": ["openai", "anthropic/x"]}') $$);
select * from finish();
rollback;

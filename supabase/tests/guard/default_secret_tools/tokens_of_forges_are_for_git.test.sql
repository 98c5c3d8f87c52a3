begin;
select plan(5);
select is(nofx_private.default_secret_tools(name), array['git:*'], name) from unnest(array['GITHUB_TOKEN', 'GH_TOKEN', 'GITLAB_TOKEN']) as name;
select is(nofx_private.default_secret_tools('GITHUB_APP_KEY'), '{}', 'of workers alone');
select is(nofx_private.default_secret_tools('OPENAI_API_KEY'), null, 'any tool');
select * from finish();
rollback;

-- A preview schema's first tenant: `scripts/bootstrap-dev.sh --preview` brings it in after the migrations.
select set_config('request.jwt.claims', '{"role": "service_role"}', false);
select nofx.create_tenant('00000000-0000-7000-8000-000000000001', 'preview');
select nofx.maintain_event_partitions();

-- The second wall. The first is that every statement names the tenant; this one holds where a statement forgets to. It binds the
-- owner too (force), and a role that is neither owner nor superuser nor bypasses row security cannot get around it.
-- The service's role gets its rights from services/registry/src/database/service-role.ts.

alter table api_token enable row level security, force row level security;
create policy api_token_tenant on api_token
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table application enable row level security, force row level security;
create policy application_tenant on application
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table runtime enable row level security, force row level security;
create policy runtime_tenant on runtime
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table label enable row level security, force row level security;
create policy label_tenant on label
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table label_element enable row level security, force row level security;
create policy label_element_tenant on label_element
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table sync_state enable row level security, force row level security;
create policy sync_state_tenant on sync_state
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table plan enable row level security, force row level security;
create policy plan_tenant on plan
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table stale_runtime enable row level security, force row level security;
create policy stale_runtime_tenant on stale_runtime
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table webhook enable row level security, force row level security;
create policy webhook_tenant on webhook
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table delivery enable row level security, force row level security;
create policy delivery_tenant on delivery
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table bundle enable row level security, force row level security;
create policy bundle_tenant on bundle
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table content enable row level security, force row level security;
create policy content_tenant on content
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table api_definition enable row level security, force row level security;
create policy api_definition_tenant on api_definition
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table event_definition enable row level security, force row level security;
create policy event_definition_tenant on event_definition
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table document enable row level security, force row level security;
create policy document_tenant on document
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table bundle_instance_auth enable row level security, force row level security;
create policy bundle_instance_auth_tenant on bundle_instance_auth
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table one_time_token enable row level security, force row level security;
create policy one_time_token_tenant on one_time_token
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table certificate enable row level security, force row level security;
create policy certificate_tenant on certificate
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table operation enable row level security, force row level security;
create policy operation_tenant on operation
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table provisioned_runtime enable row level security, force row level security;
create policy provisioned_runtime_tenant on provisioned_runtime
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table audit_entry enable row level security, force row level security;
create policy audit_entry_tenant on audit_entry
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

alter table event enable row level security, force row level security;
create policy event_tenant on event for insert
  with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

-- Narrow doors: who holds a secret is found by its hash, before the tenant is known.
create policy api_token_secret on api_token for select
  using (hash = nullif(current_setting('app.secret', true), ''));
create policy one_time_token_secret on one_time_token for select
  using (hash = nullif(current_setting('app.secret', true), ''));
create policy certificate_secret on certificate for select
  using (hash = nullif(current_setting('app.secret', true), ''));

-- Leased work of all tenants, one queue at a time.
create policy stale_runtime_queue_select on stale_runtime for select
  using (current_setting('app.queue', true) = 'staleRuntime');
create policy stale_runtime_queue_update on stale_runtime for update
  using (current_setting('app.queue', true) = 'staleRuntime');
create policy stale_runtime_queue_delete on stale_runtime for delete
  using (current_setting('app.queue', true) = 'staleRuntime');
create policy delivery_queue_select on delivery for select
  using (current_setting('app.queue', true) = 'delivery');
create policy delivery_queue_update on delivery for update
  using (current_setting('app.queue', true) = 'delivery');
create policy operation_queue_select on operation for select
  using (current_setting('app.queue', true) = 'operation');
create policy operation_queue_update on operation for update
  using (current_setting('app.queue', true) = 'operation');

-- The feed: the sequencer, its readers and its clean-up.
create policy event_feed_select on event for select
  using (current_setting('app.queue', true) = 'feed');
create policy event_feed_update on event for update
  using (current_setting('app.queue', true) = 'feed');
create policy event_feed_delete on event for delete
  using (current_setting('app.queue', true) = 'feed');

-- The trust bundle that a runtime's agent says it knows: by it an operator sees whether the authority may change.
alter table runtime
  add column trust_bundle text,
  add constraint runtime_trust_bundle_form check (trust_bundle ~ '^[0-9a-f]{64}$');

-- The door to counting who trusts whom, of all tenants.
create policy runtime_trust_state on runtime for select
  using (current_setting('app.queue', true) = 'trustState');
create policy certificate_trust_state on certificate for select
  using (current_setting('app.queue', true) = 'trustState');

-- The door to secrets that are sealed anew: whoever comes by it sees sealed texts only, and can put others in their place.
create policy webhook_reseal_select on webhook for select using (current_setting('app.queue', true) = 'reseal');
create policy webhook_reseal_update on webhook for update using (current_setting('app.queue', true) = 'reseal');
create policy bundle_reseal_select on bundle for select using (current_setting('app.queue', true) = 'reseal');
create policy bundle_reseal_update on bundle for update using (current_setting('app.queue', true) = 'reseal');
create policy bundle_instance_auth_reseal_select on bundle_instance_auth for select using (current_setting('app.queue', true) = 'reseal');
create policy bundle_instance_auth_reseal_update on bundle_instance_auth for update using (current_setting('app.queue', true) = 'reseal');
create policy fetch_request_reseal_select on fetch_request for select using (current_setting('app.queue', true) = 'reseal');
create policy fetch_request_reseal_update on fetch_request for update using (current_setting('app.queue', true) = 'reseal');
create policy system_auth_reseal_select on system_auth for select using (current_setting('app.queue', true) = 'reseal');
create policy system_auth_reseal_update on system_auth for update using (current_setting('app.queue', true) = 'reseal');
create policy application_template_reseal_select on application_template for select using (current_setting('app.queue', true) = 'reseal');
create policy application_template_reseal_update on application_template for update using (current_setting('app.queue', true) = 'reseal');
create policy plan_reseal_select on plan for select using (current_setting('app.queue', true) = 'reseal');
create policy plan_reseal_update on plan for update using (current_setting('app.queue', true) = 'reseal');
create policy idempotency_key_reseal_select on idempotency_key for select using (current_setting('app.queue', true) = 'reseal');
create policy idempotency_key_reseal_update on idempotency_key for update using (current_setting('app.queue', true) = 'reseal');

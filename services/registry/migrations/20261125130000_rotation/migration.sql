-- The trust bundle that a runtime's agent says it knows: by it an operator sees whether the authority may change.
alter table runtime
  add column trust_bundle text,
  add constraint runtime_trust_bundle_form check (trust_bundle ~ '^[0-9a-f]{64}$');

-- The door to counting who trusts whom, of all tenants.
create policy runtime_trust_state on runtime for select
  using (current_setting('app.queue', true) = 'trustState');
create policy certificate_trust_state on certificate for select
  using (current_setting('app.queue', true) = 'trustState');

-- Where an act came from, what a human knows its actor by, and its outcome: what was refused is recorded too.
alter table audit_entry
  add column actor_name text,
  add column address text,
  add column request_id text,
  add column outcome text not null default 'SUCCEEDED',
  add column error_code text,
  add column times integer not null default 1,
  add constraint audit_entry_outcome_known check (outcome in ('SUCCEEDED', 'REFUSED')),
  add constraint audit_entry_refused_why check ((outcome = 'REFUSED') = (error_code is not null)),
  add constraint audit_entry_times_positive check (times > 0);

-- Client credentials are found by the hash of their secret, and with them the tenants that are open to an integration system.
create policy system_auth_secret on system_auth for select
  using (hash = nullif(current_setting('app.secret', true), ''));
create policy tenant_grant_secret on tenant_grant for select
  using (exists (
    select from system_auth s
    where s.hash = nullif(current_setting('app.secret', true), '')
      and s.tenant_id = tenant_grant.home_tenant_id and s.integration_system_id = tenant_grant.integration_system_id
  ));

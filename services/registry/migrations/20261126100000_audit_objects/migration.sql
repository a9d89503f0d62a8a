-- Which entries of the audit log name an object: written with the entry. By it what happened to an object is found.
create table audit_object (
  tenant_id uuid not null,
  object_id uuid not null,
  entry_id uuid not null,
  constraint audit_object_pkey primary key (tenant_id, object_id, entry_id)
);

alter table audit_entry no force row level security;
insert into audit_object (tenant_id, object_id, entry_id)
  select distinct tenant_id, (object ->> 'id')::uuid, entry.id
  from audit_entry entry, json_array_elements(objects::json) object
  where object ->> 'id' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
alter table audit_entry force row level security;

alter table audit_object enable row level security, force row level security;
create policy audit_object_tenant on audit_object
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

-- Refusals are few among what succeeded. The words are those of the Registry's statements.
create index audit_entry_refused_idx on audit_entry (tenant_id, id) where (error_code is null) is not true;

-- Entries that have no place in their tenant's chain yet: written with each entry, taken out with its place.
create table audit_unchained (
  entry bigint generated always as identity,
  tenant_id uuid not null,
  entry_id uuid not null,
  constraint audit_unchained_pkey primary key (entry)
);

-- The place of each entry, and a hash of it and of the hash before: nothing can be changed, taken out or put in unseen.
create table audit_chain (
  tenant_id uuid not null,
  position bigint not null,
  entry_id uuid not null,
  hash text not null,
  created_at timestamptz not null default now(),
  constraint audit_chain_pkey primary key (tenant_id, position),
  constraint audit_chain_entry_key unique (tenant_id, entry_id),
  constraint audit_chain_position_positive check (position > 0),
  constraint audit_chain_hash_form check (hash ~ '^[0-9a-f]{64}$')
);

alter table audit_entry no force row level security;
insert into audit_unchained (tenant_id, entry_id) select tenant_id, id from audit_entry order by id;
alter table audit_entry force row level security;

alter table audit_unchained enable row level security, force row level security;
create policy audit_unchained_tenant on audit_unchained for insert
  with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
create policy audit_unchained_queue_select on audit_unchained for select
  using (current_setting('app.queue', true) = 'audit');
create policy audit_unchained_queue_delete on audit_unchained for delete
  using (current_setting('app.queue', true) = 'audit');

alter table audit_chain enable row level security, force row level security;
create policy audit_chain_tenant on audit_chain for select
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
create policy audit_chain_queue_select on audit_chain for select
  using (current_setting('app.queue', true) = 'audit');
create policy audit_chain_queue_insert on audit_chain for insert
  with check (current_setting('app.queue', true) = 'audit');

create policy audit_entry_queue_select on audit_entry for select
  using (current_setting('app.queue', true) = 'audit');

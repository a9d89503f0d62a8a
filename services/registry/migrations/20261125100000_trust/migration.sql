-- One-time tokens say by whom they were made, and when and from where they were used. Nothing was ever kept in `answer`.
alter table one_time_token
  add column public_id text,
  add column issued_by_type text,
  add column issued_by_id text,
  add column used_from text,
  add column revoked_at timestamptz,
  drop column answer;
create index one_time_token_public_id_idx on one_time_token (tenant_id, public_id);

-- A certificate is recorded before it is signed: without `hash` and `signature` it is being issued, and nobody has it. What was
-- signed (`tbs`) and the signature are the certificate.
alter table certificate
  add column issuer_key_id text,
  add column tbs text,
  add column signature text,
  add column revocation_code text,
  alter column hash drop not null,
  drop column chain,
  add constraint certificate_issuer_key_id_form check (issuer_key_id ~ '^[0-9a-f]{40}$'),
  add constraint certificate_signature_with_hash check (signature is null or hash is not null);
create index certificate_revoked_idx on certificate (issuer_key_id, serial_number) where revoked_at is not null;

-- Whose a public key is. A key belongs to one object, of whatever tenant: its hash is unique, and a certificate refers to the key of
-- its holder.
create table certificate_key (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  hash text not null,
  consumer_type text not null,
  consumer_id uuid not null,
  constraint certificate_key_pkey primary key (tenant_id, id),
  constraint certificate_key_tenant_fkey foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint certificate_key_hash_key unique (hash),
  constraint certificate_key_holder_key unique (tenant_id, hash, consumer_id),
  constraint certificate_key_hash_form check (hash ~ '^[0-9a-f]{64}$'),
  constraint certificate_key_consumer_type_value check (consumer_type in ('APPLICATION', 'RUNTIME', 'INTEGRATION_SYSTEM'))
);
-- Those of before have no record of their key: the reference is checked from now on.
alter table certificate
  add constraint certificate_key_fkey foreign key (tenant_id, public_key_hash, consumer_id)
    references certificate_key (tenant_id, hash, consumer_id) not valid;

alter table certificate_key enable row level security, force row level security;
create policy certificate_key_tenant on certificate_key
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

-- The door to the revocation list: of all tenants, what was revoked and is not long over.
create policy certificate_revocation_list on certificate for select
  using (current_setting('app.queue', true) = 'revocationList' and revoked_at is not null and not_after > now() - interval '8 days');
-- Numbers of revocation lists.
create sequence revocation_list_number;

-- What is over is removed after a while, and nothing else can be.
create policy one_time_token_clean_up_select on one_time_token for select
  using (current_setting('app.queue', true) = 'cleanUp' and expires_at < now() - interval '30 days');
create policy one_time_token_clean_up_delete on one_time_token for delete
  using (current_setting('app.queue', true) = 'cleanUp' and expires_at < now() - interval '30 days');
create policy certificate_clean_up_select on certificate for select
  using (current_setting('app.queue', true) = 'cleanUp' and not_after < now() - interval '90 days');
create policy certificate_clean_up_delete on certificate for delete
  using (current_setting('app.queue', true) = 'cleanUp' and not_after < now() - interval '90 days');

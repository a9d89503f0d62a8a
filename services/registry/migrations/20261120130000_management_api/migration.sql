-- The rest of the management API: label definitions and automatic groups, runtime contexts, fetch requests, integration systems
-- with their grants and client credentials, application templates, health.

-- Raised by a read whose answer has more text than is sent.
create function refuse_answer() returns text
  language plpgsql as $$
begin
  raise exception using errcode = 'SX002', message = 'the answer is too large';
end
$$;

create table runtime_context (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  runtime_id uuid not null,
  key text not null,
  value text not null,
  constraint runtime_context_pkey primary key (tenant_id, id),
  constraint runtime_context_runtime_fkey
    foreign key (tenant_id, runtime_id) references runtime (tenant_id, id) on delete cascade,
  constraint runtime_context_key_length check (char_length(key) between 1 and 256)
);
create index runtime_context_runtime_idx on runtime_context (tenant_id, runtime_id, id);

alter table label drop constraint label_kind_value;
alter table label add constraint label_kind_value check (kind in ('application', 'runtime', 'runtime_context'));
create trigger runtime_context_delete_labels after delete on runtime_context
  referencing old table as gone for each statement execute function delete_labels_of_gone();

create table label_definition (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  key text not null,
  schema text,
  constraint label_definition_pkey primary key (tenant_id, id),
  constraint label_definition_tenant_fkey foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint label_definition_key_key unique (tenant_id, key),
  constraint label_definition_key_length check (char_length(key) between 1 and 256),
  constraint label_definition_schema_json check (schema is json)
);
-- Every key that is in use is defined. What a migration reads is all tenants': the wall is open for its owner meanwhile.
alter table label no force row level security;
insert into label_definition (tenant_id, id, key) select tenant_id, uuidv7(), key from label group by tenant_id, key;
alter table label force row level security;

create table automatic_group_assignment (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  group_name text not null,
  selector_key text not null,
  selector_value text not null,
  constraint automatic_group_assignment_pkey primary key (tenant_id, id),
  constraint automatic_group_assignment_tenant_fkey foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint automatic_group_assignment_group_name_key unique (tenant_id, group_name),
  -- As texts of JSON they are elements of labels, which are kept as they are up to this length (see label_element).
  constraint automatic_group_assignment_group_name_length check (char_length(to_json(group_name)::text) between 3 and 200),
  constraint automatic_group_assignment_selector_value_length check (char_length(to_json(selector_value)::text) <= 200),
  constraint automatic_group_assignment_selector_key_length check (char_length(selector_key) between 1 and 256)
);
create index automatic_group_assignment_selector_idx
  on automatic_group_assignment (tenant_id, selector_key, selector_value, id);

create table fetch_request (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  application_id uuid not null,
  api_definition_id uuid,
  event_definition_id uuid,
  document_id uuid,
  url text not null,
  auth text,
  mode text not null,
  filter text,
  status_condition text not null,
  status_timestamp timestamptz not null,
  status_message text,
  attempts integer not null,
  next_attempt_at timestamptz,
  lease_token uuid,
  lease_until timestamptz,
  constraint fetch_request_pkey primary key (tenant_id, id),
  constraint fetch_request_api_definition_fkey
    foreign key (tenant_id, api_definition_id) references api_definition (tenant_id, id) on delete cascade,
  constraint fetch_request_event_definition_fkey
    foreign key (tenant_id, event_definition_id) references event_definition (tenant_id, id) on delete cascade,
  constraint fetch_request_document_fkey
    foreign key (tenant_id, document_id) references document (tenant_id, id) on delete cascade,
  constraint fetch_request_one_owner check (num_nonnulls(api_definition_id, event_definition_id, document_id) = 1),
  constraint fetch_request_api_definition_key unique (tenant_id, api_definition_id),
  constraint fetch_request_event_definition_key unique (tenant_id, event_definition_id),
  constraint fetch_request_document_key unique (tenant_id, document_id),
  constraint fetch_request_url_present check (url <> ''),
  constraint fetch_request_mode_value check (mode in ('SINGLE', 'BUNDLE', 'INDEX')),
  constraint fetch_request_status_condition_value check (status_condition in ('INITIAL', 'SUCCEEDED', 'FAILED'))
);
create index fetch_request_due_idx on fetch_request (next_attempt_at) where next_attempt_at is not null;

create table integration_system (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  name text not null,
  description text,
  constraint integration_system_pkey primary key (tenant_id, id),
  constraint integration_system_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint integration_system_name_key unique (tenant_id, name),
  constraint integration_system_name_length check (char_length(name) between 1 and 256)
);

-- A grant belongs to the tenant that is opened by it, and goes with that tenant and with the integration system.
create table tenant_grant (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  home_tenant_id uuid not null,
  integration_system_id uuid not null,
  constraint tenant_grant_pkey primary key (tenant_id, id),
  constraint tenant_grant_tenant_fkey foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint tenant_grant_integration_system_fkey foreign key (home_tenant_id, integration_system_id)
    references integration_system (tenant_id, id) on delete cascade,
  constraint tenant_grant_integration_system_key unique (tenant_id, integration_system_id)
);
create index tenant_grant_integration_system_idx on tenant_grant (home_tenant_id, integration_system_id);

create table system_auth (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  application_id uuid,
  runtime_id uuid,
  integration_system_id uuid,
  hash text not null,
  auth text not null,
  constraint system_auth_pkey primary key (tenant_id, id),
  constraint system_auth_application_fkey
    foreign key (tenant_id, application_id) references application (tenant_id, id) on delete cascade,
  constraint system_auth_runtime_fkey
    foreign key (tenant_id, runtime_id) references runtime (tenant_id, id) on delete cascade,
  constraint system_auth_integration_system_fkey
    foreign key (tenant_id, integration_system_id) references integration_system (tenant_id, id) on delete cascade,
  constraint system_auth_one_owner check (num_nonnulls(application_id, runtime_id, integration_system_id) = 1),
  constraint system_auth_hash_key unique (hash),
  constraint system_auth_hash_form check (hash ~ '^[0-9a-f]{64}$'),
  constraint system_auth_auth_present check (auth <> '')
);
create index system_auth_application_idx on system_auth (tenant_id, application_id, id) where application_id is not null;
create index system_auth_runtime_idx on system_auth (tenant_id, runtime_id, id) where runtime_id is not null;
create index system_auth_integration_system_idx
  on system_auth (tenant_id, integration_system_id, id) where integration_system_id is not null;

create table application_template (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  name text not null,
  description text,
  application_input text not null,
  placeholders text not null,
  access_level text not null,
  constraint application_template_pkey primary key (tenant_id, id),
  constraint application_template_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint application_template_name_key unique (tenant_id, name),
  constraint application_template_name_length check (char_length(name) between 1 and 256),
  constraint application_template_placeholders_json check (placeholders is json),
  constraint application_template_access_level_value check (access_level in ('GLOBAL'))
);

create table health_check (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  type text not null,
  condition text not null,
  origin uuid not null,
  runtime_id uuid,
  message text,
  timestamp timestamptz not null,
  latest boolean not null,
  constraint health_check_pkey primary key (tenant_id, id),
  constraint health_check_tenant_fkey foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint health_check_runtime_fkey
    foreign key (tenant_id, runtime_id) references runtime (tenant_id, id) on delete cascade,
  constraint health_check_type_value
    check (type in ('MANAGEMENT_PLANE_APPLICATION_HEALTHCHECK', 'RUNTIME_HEALTHCHECK')),
  constraint health_check_condition_value check (condition in ('SUCCEEDED', 'FAILED'))
);
create index health_check_origin_idx on health_check (tenant_id, origin, type, id);
create index health_check_runtime_idx on health_check (tenant_id, runtime_id, latest, id) where runtime_id is not null;
create index health_check_type_idx on health_check (tenant_id, type, id);
create unique index health_check_latest_key
  on health_check (tenant_id, origin, type, coalesce(runtime_id, '00000000-0000-0000-0000-000000000000')) where latest;

create table health_probe (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  url text not null,
  condition text,
  failures integer not null,
  attempts integer not null,
  next_attempt_at timestamptz,
  lease_token uuid,
  lease_until timestamptz,
  constraint health_probe_pkey primary key (tenant_id, id),
  constraint health_probe_application_fkey
    foreign key (tenant_id, id) references application (tenant_id, id) on delete cascade,
  constraint health_probe_url_present check (url <> ''),
  constraint health_probe_condition_value check (condition in ('SUCCEEDED', 'FAILED'))
);
create index health_probe_due_idx on health_probe (next_attempt_at) where next_attempt_at is not null;
-- Applications that have named a URL already are asked from now on.
alter table application no force row level security;
insert into health_probe (tenant_id, id, url, failures, attempts, next_attempt_at)
  select tenant_id, id, health_check_url, 0, 0, now() from application where health_check_url is not null;
alter table application force row level security;

alter table application add column default_eventing_runtime_id uuid;
alter table application add constraint application_default_eventing_runtime_fkey
  foreign key (tenant_id, default_eventing_runtime_id) references runtime (tenant_id, id)
  on delete set null (default_eventing_runtime_id);
create index application_default_eventing_runtime_idx on application (tenant_id, default_eventing_runtime_id)
  where default_eventing_runtime_id is not null;
create index application_integration_system_idx on application (tenant_id, integration_system_id, id)
  where integration_system_id is not null;

-- What names an integration system refers to its grant: only one that may act in the tenant can be named. (Before there were
-- integration systems, any id was taken: those led nowhere.)
alter table application no force row level security;
update application set integration_system_id = null where integration_system_id is not null;
alter table application force row level security;
alter table application add constraint application_integration_system_fkey
  foreign key (tenant_id, integration_system_id) references tenant_grant (tenant_id, integration_system_id);

alter table api_token add column tenant_external_ids text[] not null default '{}';
alter table api_token no force row level security;
update api_token set tenant_external_ids = case when tenants = '{*}' then tenants
  else (select coalesce(array_agg(external_id), '{}') from tenant where id::text = any (tenants)) end;
alter table api_token force row level security;
alter table api_token alter column tenant_external_ids drop default;

-- The entries of one actor and of one action, for who looks for them.
create index audit_entry_actor_idx on audit_entry (tenant_id, actor_id, id);
create index audit_entry_action_idx on audit_entry (tenant_id, action, id);

-- The answer of an act by the key that its caller gave it (the header Idempotency-Key): who repeats it is answered the same. The
-- id is made of the caller and the key, `request` is a digest of what was asked.
create table idempotency_key (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  request text not null,
  answer text,
  value text,
  reveal boolean not null,
  constraint idempotency_key_pkey primary key (tenant_id, id),
  constraint idempotency_key_tenant_fkey foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint idempotency_key_request_form check (request ~ '^[0-9a-f]{64}$')
);
create index idempotency_key_created_at_idx on idempotency_key (created_at);

alter table runtime_context enable row level security, force row level security;
create policy runtime_context_tenant on runtime_context
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
alter table label_definition enable row level security, force row level security;
create policy label_definition_tenant on label_definition
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
alter table automatic_group_assignment enable row level security, force row level security;
create policy automatic_group_assignment_tenant on automatic_group_assignment
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
alter table fetch_request enable row level security, force row level security;
create policy fetch_request_tenant on fetch_request
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
alter table integration_system enable row level security, force row level security;
create policy integration_system_tenant on integration_system
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
alter table tenant_grant enable row level security, force row level security;
create policy tenant_grant_tenant on tenant_grant
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
alter table system_auth enable row level security, force row level security;
create policy system_auth_tenant on system_auth
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
alter table application_template enable row level security, force row level security;
create policy application_template_tenant on application_template
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
alter table health_check enable row level security, force row level security;
create policy health_check_tenant on health_check
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
alter table health_probe enable row level security, force row level security;
create policy health_probe_tenant on health_probe
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
alter table idempotency_key enable row level security, force row level security;
create policy idempotency_key_tenant on idempotency_key
  using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

create policy fetch_request_queue_select on fetch_request for select
  using (current_setting('app.queue', true) = 'fetchRequest');
create policy fetch_request_queue_update on fetch_request for update
  using (current_setting('app.queue', true) = 'fetchRequest');
create policy health_probe_queue_select on health_probe for select
  using (current_setting('app.queue', true) = 'healthProbe');
create policy health_probe_queue_update on health_probe for update
  using (current_setting('app.queue', true) = 'healthProbe');

-- What is over is removed in small batches, of all tenants: the answers of repeated requests after a day.
create policy idempotency_key_clean_up_select on idempotency_key for select
  using (current_setting('app.queue', true) = 'cleanUp' and created_at < now() - interval '24 hours');
create policy idempotency_key_clean_up_delete on idempotency_key for delete
  using (current_setting('app.queue', true) = 'cleanUp' and created_at < now() - interval '24 hours');

-- The tables of the catalog (libs/registry-client/src/kinds.ts). Each tenant's table has a key that begins with tenant_id, and
-- every foreign key includes it: a reference to another tenant's object cannot be stored. Names of constraints are chosen by
-- hand, because callers act on them.

-- Raised by a statement whose commit must not go on. SX001: what the caller asked for is not (or no longer) so.
create function refuse_unless(holds boolean) returns void
  language plpgsql as $$
begin
  if holds is not true then
    raise exception using errcode = 'SX001', message = 'refused';
  end if;
end
$$;

create table tenant (
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  external_id text not null,
  name text not null,
  constraint tenant_pkey primary key (id),
  constraint tenant_external_id_key unique (external_id),
  constraint tenant_external_id_length check (char_length(external_id) between 1 and 256),
  constraint tenant_name_length check (char_length(name) between 1 and 256)
);

create table api_token (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  name text not null,
  hash text not null,
  scopes text[] not null,
  tenants text[] not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  constraint api_token_pkey primary key (tenant_id, id),
  constraint api_token_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint api_token_hash_key unique (hash),
  constraint api_token_hash_form check (hash ~ '^[0-9a-f]{64}$'),
  constraint api_token_name_length check (char_length(name) between 1 and 256)
);

create table application (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  name text not null,
  provider_name text,
  description text,
  health_check_url text,
  integration_system_id uuid,
  status_condition text not null,
  status_timestamp timestamptz not null,
  last_seen timestamptz,
  constraint application_pkey primary key (tenant_id, id),
  constraint application_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint application_name_key unique (tenant_id, name),
  constraint application_name_length check (char_length(name) between 1 and 256),
  constraint application_status_condition_value check (status_condition in ('INITIAL', 'CONNECTED', 'FAILED'))
);

create table runtime (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  name text not null,
  description text,
  status_condition text not null,
  status_timestamp timestamptz not null,
  last_seen timestamptz,
  constraint runtime_pkey primary key (tenant_id, id),
  constraint runtime_tenant_fkey foreign key (tenant_id) references tenant (id),
  constraint runtime_name_key unique (tenant_id, name),
  constraint runtime_name_length check (char_length(name) between 1 and 256),
  constraint runtime_status_condition_value
    check (status_condition in ('INITIAL', 'PROVISIONING', 'CONNECTED', 'FAILED'))
);

-- Labels are rows: under row-level security an index on JSON would not be used.
create table label (
  tenant_id uuid not null,
  kind text not null,
  object_id uuid not null,
  key text not null,
  value text not null,
  constraint label_pkey primary key (tenant_id, kind, object_id, key),
  constraint label_kind_value check (kind in ('application', 'runtime')),
  constraint label_key_length check (char_length(key) between 1 and 256),
  constraint label_value_json check (value is json)
);
create index label_key_idx on label (tenant_id, kind, key, object_id);

-- What a label's value holds, for look-ups: its elements when it is an array, else the value itself. The text is in one
-- canonical form, and a digest where it is long (see labelElements in services/registry/src/commit).
create table label_element (
  tenant_id uuid not null,
  kind text not null,
  object_id uuid not null,
  key text not null,
  element text not null,
  constraint label_element_pkey primary key (tenant_id, kind, object_id, key, element),
  constraint label_element_label_fkey foreign key (tenant_id, kind, object_id, key)
    references label (tenant_id, kind, object_id, key) on delete cascade
);
create index label_element_element_idx on label_element (tenant_id, kind, key, element, object_id);

-- Labels go with their object. A statement trigger, so that many objects cost one delete.
create function delete_labels_of_gone() returns trigger
  language plpgsql as $$
begin
  delete from label using gone
  where label.tenant_id = gone.tenant_id and label.kind = tg_table_name::text and label.object_id = gone.id;
  return null;
end
$$;
create trigger application_delete_labels after delete on application
  referencing old table as gone for each statement execute function delete_labels_of_gone();
create trigger runtime_delete_labels after delete on runtime
  referencing old table as gone for each statement execute function delete_labels_of_gone();

create table sync_state (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  desired_revision integer not null,
  desired_hash text,
  applied_revision integer not null,
  applied boolean not null,
  ready boolean not null,
  reported_at timestamptz,
  last_error text,
  constraint sync_state_pkey primary key (tenant_id, id),
  constraint sync_state_runtime_fkey foreign key (tenant_id, id) references runtime (tenant_id, id) on delete cascade,
  constraint sync_state_revision_order check (desired_revision >= 0 and applied_revision between 0 and desired_revision)
);

create table plan (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  runtime_id uuid not null,
  plan_revision integer not null,
  hash text not null,
  content text not null,
  cause text not null,
  constraint plan_pkey primary key (tenant_id, id),
  constraint plan_runtime_fkey foreign key (tenant_id, runtime_id) references runtime (tenant_id, id) on delete cascade,
  constraint plan_revision_key unique (tenant_id, runtime_id, plan_revision),
  constraint plan_plan_revision_positive check (plan_revision > 0),
  constraint plan_hash_present check (hash <> '')
);

create table stale_runtime (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version integer not null,
  cause text not null,
  attempts integer not null,
  next_attempt_at timestamptz,
  lease_token uuid,
  lease_until timestamptz,
  constraint stale_runtime_pkey primary key (tenant_id, id),
  constraint stale_runtime_runtime_fkey
    foreign key (tenant_id, id) references runtime (tenant_id, id) on delete cascade
);
create index stale_runtime_due_idx on stale_runtime (next_attempt_at) where next_attempt_at is not null;

create table webhook (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  application_id uuid,
  runtime_id uuid,
  integration_system_id uuid,
  type text not null,
  mode text,
  url text,
  auth text,
  correlation_id_key text,
  retry_interval integer,
  timeout integer,
  url_template text,
  input_template text,
  header_template text,
  output_template text,
  status_template text,
  signing_secret text not null,
  constraint webhook_pkey primary key (tenant_id, id),
  constraint webhook_application_fkey
    foreign key (tenant_id, application_id) references application (tenant_id, id) on delete cascade,
  constraint webhook_runtime_fkey foreign key (tenant_id, runtime_id) references runtime (tenant_id, id) on delete cascade,
  constraint webhook_one_owner check (num_nonnulls(application_id, runtime_id, integration_system_id) = 1),
  constraint webhook_type_value check (type in ('CONFIGURATION_CHANGED', 'REGISTER_APPLICATION', 'UNREGISTER_APPLICATION')),
  constraint webhook_mode_value check (mode in ('SYNC', 'ASYNC')),
  constraint webhook_signing_secret_present check (signing_secret <> '')
);
create index webhook_application_idx on webhook (tenant_id, application_id, id) where application_id is not null;
create index webhook_runtime_idx on webhook (tenant_id, runtime_id, id) where runtime_id is not null;

create table delivery (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  webhook_id uuid not null,
  type text not null,
  body text not null,
  state text not null,
  last_status integer,
  last_error text,
  delivered_at timestamptz,
  attempts integer not null,
  next_attempt_at timestamptz,
  lease_token uuid,
  lease_until timestamptz,
  constraint delivery_pkey primary key (tenant_id, id),
  constraint delivery_webhook_fkey foreign key (tenant_id, webhook_id) references webhook (tenant_id, id) on delete cascade,
  constraint delivery_type_present check (type <> ''),
  constraint delivery_body_json check (body is json),
  constraint delivery_state_value check (state in ('PENDING', 'DELIVERED', 'FAILED'))
);
create index delivery_webhook_idx on delivery (tenant_id, webhook_id, id);
create index delivery_due_idx on delivery (next_attempt_at) where next_attempt_at is not null;

create table bundle (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  application_id uuid not null,
  name text not null,
  description text,
  instance_auth_request_input_schema text,
  default_instance_auth text,
  constraint bundle_pkey primary key (tenant_id, id),
  -- Lets what belongs to a bundle name its application too, and never the wrong one; and orders an application's bundles.
  constraint bundle_application_key unique (tenant_id, application_id, id),
  constraint bundle_application_fkey
    foreign key (tenant_id, application_id) references application (tenant_id, id) on delete cascade,
  constraint bundle_name_present check (name <> ''),
  constraint bundle_instance_auth_request_input_schema_json check (instance_auth_request_input_schema is json)
);

create table content (
  tenant_id uuid not null,
  hash text not null,
  created_at timestamptz not null default now(),
  text text not null,
  constraint content_pkey primary key (tenant_id, hash),
  constraint content_tenant_fkey foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint content_hash_of_text check (hash = encode(sha256(convert_to(text, 'UTF8')), 'hex'))
);

create table api_definition (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  application_id uuid not null,
  bundle_id uuid not null,
  name text not null,
  description text,
  target_url text not null,
  "group" text,
  version_value text,
  version_deprecated boolean,
  version_deprecated_since text,
  version_for_removal boolean,
  spec_type text,
  spec_format text,
  spec_content text,
  constraint api_definition_pkey primary key (tenant_id, id),
  constraint api_definition_bundle_fkey foreign key (tenant_id, application_id, bundle_id)
    references bundle (tenant_id, application_id, id) on delete cascade,
  constraint api_definition_spec_content_fkey
    foreign key (tenant_id, spec_content) references content (tenant_id, hash),
  constraint api_definition_name_present check (name <> ''),
  constraint api_definition_target_url_present check (target_url <> ''),
  constraint api_definition_spec_type_value check (spec_type in ('ODATA', 'OPEN_API')),
  constraint api_definition_spec_format_value check (spec_format in ('YAML', 'JSON', 'XML'))
);
create index api_definition_bundle_idx on api_definition (tenant_id, bundle_id, id);
create index api_definition_spec_content_idx on api_definition (tenant_id, spec_content) where spec_content is not null;

create table event_definition (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  application_id uuid not null,
  bundle_id uuid not null,
  name text not null,
  description text,
  "group" text,
  version_value text,
  version_deprecated boolean,
  version_deprecated_since text,
  version_for_removal boolean,
  spec_type text,
  spec_format text,
  spec_content text,
  constraint event_definition_pkey primary key (tenant_id, id),
  constraint event_definition_bundle_fkey foreign key (tenant_id, application_id, bundle_id)
    references bundle (tenant_id, application_id, id) on delete cascade,
  constraint event_definition_spec_content_fkey
    foreign key (tenant_id, spec_content) references content (tenant_id, hash),
  constraint event_definition_name_present check (name <> ''),
  constraint event_definition_spec_type_value check (spec_type in ('ASYNC_API')),
  constraint event_definition_spec_format_value check (spec_format in ('YAML', 'JSON', 'XML'))
);
create index event_definition_bundle_idx on event_definition (tenant_id, bundle_id, id);
create index event_definition_spec_content_idx on event_definition (tenant_id, spec_content)
  where spec_content is not null;

create table document (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  application_id uuid not null,
  bundle_id uuid not null,
  title text not null,
  display_name text not null,
  description text not null,
  format text not null,
  kind text,
  content text,
  constraint document_pkey primary key (tenant_id, id),
  constraint document_bundle_fkey foreign key (tenant_id, application_id, bundle_id)
    references bundle (tenant_id, application_id, id) on delete cascade,
  constraint document_content_fkey foreign key (tenant_id, content) references content (tenant_id, hash),
  constraint document_title_present check (title <> ''),
  constraint document_format_value check (format in ('MARKDOWN'))
);
create index document_bundle_idx on document (tenant_id, bundle_id, id);
create index document_content_idx on document (tenant_id, content) where content is not null;

create table bundle_instance_auth (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  application_id uuid not null,
  bundle_id uuid not null,
  runtime_id uuid,
  context text,
  input_params text,
  auth text,
  status_condition text not null,
  status_timestamp timestamptz not null,
  status_message text not null,
  status_reason text not null,
  constraint bundle_instance_auth_pkey primary key (tenant_id, id),
  constraint bundle_instance_auth_bundle_fkey foreign key (tenant_id, application_id, bundle_id)
    references bundle (tenant_id, application_id, id) on delete cascade,
  constraint bundle_instance_auth_runtime_fkey
    foreign key (tenant_id, runtime_id) references runtime (tenant_id, id) on delete cascade,
  constraint bundle_instance_auth_context_json check (context is json),
  constraint bundle_instance_auth_input_params_json check (input_params is json),
  constraint bundle_instance_auth_status_condition_value
    check (status_condition in ('PENDING', 'SUCCEEDED', 'FAILED', 'UNUSED'))
);
create index bundle_instance_auth_bundle_idx on bundle_instance_auth (tenant_id, bundle_id, id);
create index bundle_instance_auth_runtime_idx on bundle_instance_auth (tenant_id, runtime_id, bundle_id, id)
  where runtime_id is not null;

create table one_time_token (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  hash text not null,
  purpose text not null,
  consumer_type text not null,
  consumer_id uuid not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  used_by text,
  answer text,
  constraint one_time_token_pkey primary key (tenant_id, id),
  constraint one_time_token_tenant_fkey foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint one_time_token_hash_key unique (hash),
  constraint one_time_token_hash_form check (hash ~ '^[0-9a-f]{64}$'),
  constraint one_time_token_purpose_value check (purpose in ('PAIRING', 'SIGNING')),
  constraint one_time_token_consumer_type_value
    check (consumer_type in ('APPLICATION', 'RUNTIME', 'INTEGRATION_SYSTEM'))
);
create index one_time_token_consumer_idx on one_time_token (tenant_id, consumer_id, id);
create index one_time_token_expires_at_idx on one_time_token (expires_at);

create table certificate (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  hash text not null,
  serial_number text not null,
  consumer_type text not null,
  consumer_id uuid not null,
  subject text not null,
  public_key_hash text not null,
  not_before timestamptz not null,
  not_after timestamptz not null,
  revoked_at timestamptz,
  revocation_reason text,
  chain text not null,
  constraint certificate_pkey primary key (tenant_id, id),
  constraint certificate_tenant_fkey foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint certificate_hash_key unique (hash),
  constraint certificate_serial_number_key unique (serial_number),
  constraint certificate_hash_form check (hash ~ '^[0-9a-f]{64}$'),
  constraint certificate_serial_number_form check (serial_number ~ '^[0-9a-f]{1,40}$'),
  constraint certificate_subject_present check (subject <> ''),
  constraint certificate_validity_order check (not_before < not_after),
  constraint certificate_consumer_type_value
    check (consumer_type in ('APPLICATION', 'RUNTIME', 'INTEGRATION_SYSTEM'))
);
create index certificate_consumer_idx on certificate (tenant_id, consumer_id, id);
create index certificate_public_key_hash_idx on certificate (tenant_id, public_key_hash, id);
create index certificate_not_after_idx on certificate (not_after);

create table operation (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  runtime_id uuid,
  type text not null,
  state text not null,
  stage text not null,
  message text not null,
  last_error text,
  input text not null,
  progress text not null,
  attempts integer not null,
  next_attempt_at timestamptz,
  lease_token uuid,
  lease_until timestamptz,
  constraint operation_pkey primary key (tenant_id, id),
  constraint operation_tenant_fkey foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint operation_type_value check (type in ('Provision', 'Upgrade', 'Deprovision', 'ReconnectRuntime')),
  constraint operation_state_value check (state in ('Pending', 'InProgress', 'Succeeded', 'Failed', 'Cancelled')),
  constraint operation_last_error_json check (last_error is json),
  constraint operation_input_json check (input is json),
  constraint operation_progress_json check (progress is json)
);
create index operation_runtime_idx on operation (tenant_id, runtime_id, id) where runtime_id is not null;
create index operation_due_idx on operation (next_attempt_at) where next_attempt_at is not null;

-- No foreign key to runtime: what was made has to be known, and taken down, after the runtime is unregistered.
create table provisioned_runtime (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  name text not null,
  driver text not null,
  parameters text not null,
  removed boolean not null,
  last_operation_id uuid not null,
  constraint provisioned_runtime_pkey primary key (tenant_id, id),
  constraint provisioned_runtime_tenant_fkey foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint provisioned_runtime_name_present check (name <> ''),
  constraint provisioned_runtime_driver_present check (driver <> ''),
  constraint provisioned_runtime_parameters_json check (parameters is json)
);

-- No foreign key to tenant: the record of who did what outlives what it is about.
create table audit_entry (
  tenant_id uuid not null,
  id uuid not null,
  revision integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  actor_type text not null,
  actor_id text not null,
  action text not null,
  objects text not null,
  constraint audit_entry_pkey primary key (tenant_id, id),
  constraint audit_entry_actor_type_present check (actor_type <> ''),
  constraint audit_entry_action_present check (action <> ''),
  constraint audit_entry_objects_json check (objects is json)
);

-- The change feed. A row is written without a position by the commit that caused it; the sequencer gives it one afterwards.
create table event (
  entry bigint generated always as identity,
  tenant_id uuid not null,
  position bigint,
  type text not null,
  object_id uuid not null,
  data text not null,
  created_at timestamptz not null default now(),
  constraint event_pkey primary key (entry),
  constraint event_position_key unique (position),
  constraint event_type_present check (type <> ''),
  constraint event_data_json check (data is json)
);
create index event_without_position_idx on event (entry) where position is null;

-- How far the feed is, and up to which position events have been removed. One row.
create table feed (
  only_row boolean not null default true,
  last_position bigint not null,
  removed_up_to bigint not null,
  constraint feed_pkey primary key (only_row),
  constraint feed_one_row check (only_row),
  constraint feed_position_order check (removed_up_to between 0 and last_position)
);
insert into feed (last_position, removed_up_to) values (0, 0);

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

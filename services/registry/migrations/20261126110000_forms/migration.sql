-- What is written with every certificate is checked without a regular expression, which PostgreSQL works out anew for each row: it
-- was a tenth of what a certificate cost there. The rows of before have met the same.
alter table one_time_token drop constraint one_time_token_hash_form;
alter table one_time_token add constraint one_time_token_hash_form
  check (length(hash) = 64 and translate(hash, '0123456789abcdef', '') = '') not valid;

alter table certificate
  drop constraint certificate_hash_form,
  drop constraint certificate_serial_number_form,
  drop constraint certificate_issuer_key_id_form;
alter table certificate
  add constraint certificate_hash_form
    check (length(hash) = 64 and translate(hash, '0123456789abcdef', '') = '') not valid,
  add constraint certificate_serial_number_form
    check (length(serial_number) between 1 and 40 and translate(serial_number, '0123456789abcdef', '') = '') not valid,
  add constraint certificate_issuer_key_id_form
    check (length(issuer_key_id) = 40 and translate(issuer_key_id, '0123456789abcdef', '') = '') not valid;

alter table certificate_key drop constraint certificate_key_hash_form;
alter table certificate_key add constraint certificate_key_hash_form
  check (length(hash) = 64 and translate(hash, '0123456789abcdef', '') = '') not valid;

alter table audit_chain drop constraint audit_chain_hash_form;
alter table audit_chain add constraint audit_chain_hash_form
  check (length(hash) = 64 and translate(hash, '0123456789abcdef', '') = '') not valid;

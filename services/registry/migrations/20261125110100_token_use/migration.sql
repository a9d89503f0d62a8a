-- When an API token was shown last, as far as it was told.
alter table api_token add column last_used timestamptz;

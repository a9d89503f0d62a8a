-- What PostGraphile needs to be asked the same: the applications of a runtime, and labels as one object.
create or replace function applications_for_runtime(tenant uuid, runtime uuid) returns setof application
  language sql stable as $$
  select a.* from application a
  where a.tenant_id = tenant and exists (
    select from label_element mine
    join label_element theirs on theirs.tenant_id = mine.tenant_id and theirs.kind = 'application'
      and theirs.key = mine.key and theirs.element = mine.element and theirs.object_id = a.id
    where mine.tenant_id = tenant and mine.kind = 'runtime' and mine.key = 'group' and mine.object_id = runtime)
  order by a.id
$$;
create or replace function runtime_labels(r runtime) returns json
  language sql stable as $$
  select json_object_agg(key, value::json order by key) from label
  where tenant_id = r.tenant_id and kind = 'runtime' and object_id = r.id
$$;

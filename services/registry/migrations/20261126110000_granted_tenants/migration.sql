-- A grant is a row of the tenant that it opens. The tenant whose integration system it is sees it too, and changes nothing of it.
create policy tenant_grant_home on tenant_grant for select
  using (home_tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

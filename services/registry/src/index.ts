/** What tests may use of the Registry inside their own process. Other services reach it over HTTP. */
export { createRegistry, type RegistryCore } from "./registry.ts";
export { Database } from "./database/database.ts";
export { prepareDatabase } from "./database/prepare.ts";
export { MIGRATIONS_DIRECTORY, readMigrations } from "./database/migrate.ts";
export { urlForRole } from "./database/service-role.ts";

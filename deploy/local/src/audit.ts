/** `npm run audit`: the Registry's command, on the database of DATABASE_URL or on that of the plane in SEXTANT_HOME. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { readSettings } from "./config.ts";
import { runningDatabaseURL } from "./postgres/running.ts";

const settings = readSettings();
const url = settings.databaseURL ?? runningDatabaseURL(join(settings.home, "postgres"));
const command = join(import.meta.dirname, "../../../services/registry/src/audit/main.ts");
const { status } = spawnSync(process.execPath, [command, ...process.argv.slice(2)], {
  stdio: "inherit",
  env: {
    ...settings.serviceEnvironment,
    ...settings.registryEnvironment,
    ...(url === undefined ? {} : { DATABASE_URL: url }),
  },
});
process.exitCode = status ?? 1;

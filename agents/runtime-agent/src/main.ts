import { ConfigError } from "@sextant/config";
import { runAgent } from "./app.ts";
import { readSettings } from "./config.ts";

try {
  await runAgent(readSettings());
  // The channel to a parent process would keep this one alive.
  process.exit(0);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`runtime-agent: ${error.message}\n`);
  process.exit(1);
}

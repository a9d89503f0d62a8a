// A local plane with stand-ins for its services: the supervisor is the real one.
import { join } from "node:path";
import { run } from "../../src/run.ts";

process.exitCode = await run(process.argv.slice(2), () => join(import.meta.dirname, "service.ts"));

import { join } from "node:path";
import { existsSync } from "node:fs";
import { run } from "./src/run.ts";
process.exitCode = await run(process.argv.slice(2), (n) => {
  const f = join("/work/main/services", n, "src/main.ts");
  return existsSync(f) ? f : join(import.meta.dirname, "test/stand-ins/service.ts");
});

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const bench = join(import.meta.dirname, "../..");

/** Makes the reference's Prisma client, without the engine that Prisma would download. */
export function generatePrisma(): void {
  if (existsSync(join(bench, "generated/prisma/client.ts"))) return;
  execFileSync(
    process.execPath,
    [
      join(bench, "node_modules/prisma/build/index.js"),
      "generate",
      "--schema",
      "src/reference/schema.prisma",
    ],
    {
      cwd: bench,
      env: {
        ...process.env,
        PRISMA_SCHEMA_ENGINE_BINARY: "/bin/true",
        PRISMA_HIDE_UPDATE_MESSAGE: "1",
        CHECKPOINT_DISABLE: "1",
      },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
}

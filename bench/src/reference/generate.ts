import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const bench = join(import.meta.dirname, "../..");

/** Makes the reference's Prisma client, without the engine that Prisma would download. */
export function generatePrisma(): void {
  const declared = join(bench, "src/reference/schema.prisma");
  const made = join(bench, "generated/schema.prisma");
  if (existsSync(made) && readFileSync(made, "utf8") === readFileSync(declared, "utf8")) return;
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
  // What the client was made of, so that a change makes another.
  copyFileSync(declared, made);
}

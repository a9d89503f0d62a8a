/** The process behind `npm run audit`. */
import { ConfigError } from "@sextant/config";
import { createLogger } from "@sextant/logging";
import { readDatabaseSettings } from "../config.ts";
import { Database } from "../database/database.ts";
import { ConnectionLostError } from "../database/error.ts";
import { ownerURL } from "../database/owner-url.ts";
import { CommandError, HELP, readOptions, runAuditCommand, verifyFile } from "./audit.command.ts";
import { AuditRepository } from "./audit.repository.ts";

const output = { line: (text: string) => void process.stdout.write(`${text}\n`) };

async function onDatabase(words: readonly string[]): Promise<boolean> {
  const log = createLogger({ service: "audit", level: "silent", format: "text" });
  const database = new Database({ url: ownerURL(readDatabaseSettings()), log, connections: 2 });
  try {
    return await runAuditCommand(new AuditRepository(database), words, output);
  } finally {
    await database.close();
  }
}

async function carryOut(words: readonly string[]): Promise<boolean> {
  const [verb, file, ...more] = words;
  if (verb === undefined || verb === "--help" || verb === "help") {
    output.line(HELP);
    return verb !== undefined;
  }
  if (["verify", "heads", "export"].includes(verb)) return onDatabase(words);
  if (verb !== "verify-file") throw new CommandError(`${verb} is no command\n\n${HELP}`);
  readOptions(more, []);
  if (file === undefined) throw new CommandError(HELP);
  return verifyFile(file, output);
}

try {
  process.exitCode = (await carryOut(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  const isTold = [CommandError, ConfigError, ConnectionLostError].some(
    (one) => error instanceof one,
  );
  if (!isTold) throw error;
  process.stderr.write(`audit: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

/** Where a story is told: the plane, those who act in it, and what has to be tidied up behind them. */
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Caller, type CallerOptions, createCaller } from "./caller.ts";
import type { StoryPlane } from "./plane.ts";
import { type Receiver, startReceiver } from "./receiver.ts";
import type { Report } from "./report.ts";
import { createShell, requirePrograms, type Shell } from "./shell.ts";

/** See above. */
export interface Stage {
  readonly plane: StoryPlane;
  readonly report: Report;
  readonly shell: Shell;
  /** Directory of the story's keys and certificates. */
  readonly directory: string;
  readonly receiver: Receiver;
  readonly admin: Caller;
  /** On the public listener, without any credential. */
  readonly stranger: Caller;
  /** A name that no story told before has used. */
  name(base: string): string;
  /** Someone on the public listener. */
  caller(name: string, headers: Readonly<Record<string, string>>): Caller;
  /** Someone on the mTLS listener. */
  paired(
    name: string,
    certificate: CallerOptions["certificate"],
    options?: Pick<CallerOptions, "headers" | "connectionLimit">,
  ): Caller;
  /** Done at the end, the last first. */
  later(task: () => Promise<unknown> | void): void;
  close(): Promise<void>;
}

/** Opens a stage. */
export async function openStage(plane: StoryPlane, report: Report): Promise<Stage> {
  requirePrograms("curl", "openssl");
  const tasks: (() => Promise<unknown> | void)[] = [];
  const later = (task: () => Promise<unknown> | void): void => void tasks.push(task);
  const directory = mkdtempSync(join(tmpdir(), "sextant-story-"));
  const removeDirectory = (): void => rmSync(directory, { recursive: true, force: true });
  // A story that is broken off leaves no keys behind either.
  process.once("exit", removeDirectory);
  later(() => {
    removeDirectory();
    process.off("exit", removeDirectory);
  });
  const receiver = await startReceiver(plane.receiverHost ?? "127.0.0.1");
  later(() => receiver.close());
  const suffix = plane.suffix ?? randomBytes(2).toString("hex");
  // Commands show a short name where the plane's own path would fill a line.
  copyFileSync(plane.caFile, join(directory, "ca.pem"));

  const open = (options: Omit<CallerOptions, "caFile" | "report">): Caller => {
    const caller = createCaller({ ...options, caFile: plane.caFile, report });
    later(() => caller.close());
    return caller;
  };
  const caller = (name: string, headers: Readonly<Record<string, string>>): Caller =>
    open({ name, origin: plane.publicURL, headers });
  return {
    plane,
    report,
    directory,
    receiver,
    shell: createShell(directory, report),
    admin: caller("admin", { authorization: `Bearer ${plane.adminToken}` }),
    stranger: caller("stranger", {}),
    name: (base) => `${base}-${suffix}`,
    caller,
    paired: (name, certificate, options = {}) =>
      open({ ...options, name, origin: plane.mtlsURL, ...(certificate && { certificate }) }),
    later,
    async close() {
      for (const task of tasks.splice(0).toReversed()) await task();
    },
  };
}

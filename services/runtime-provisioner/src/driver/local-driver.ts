/** The driver `local`: a runtime is the runtime agent as a process of its own, with a directory of its own, beside the provisioner. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Logger } from "@sextant/logging";
import { isUUID } from "@sextant/registry-client";
import { z } from "zod";
import type { Driver, Injected, RuntimeSpec } from "./driver.ts";

/** The driver, with its own start and end. */
export type LocalDriver = Driver & {
  /** Starts what ran before the provisioner ended. */
  resume(): Promise<void>;
  /** Ends every agent; they start again with `resume`. */
  close(): Promise<void>;
};

const parameters = z.strictObject({
  /** How much the agent says. */
  logLevel: z
    .enum(["debug", "info", "warn", "error"], "must be debug, info, warn or error")
    .default("info"),
});

/** What is kept of a runtime: `desired` says whether it should run. */
type Kept = {
  readonly name: string;
  readonly logLevel: string;
  readonly desired: "running" | "stopped";
  readonly injected?: Injected;
};

type Running = {
  child: ChildProcess | undefined;
  ending: boolean;
  failures: number;
  timer: NodeJS.Timeout | undefined;
};

const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 10_000;
/** An agent that ran so long before it died is started again at once. */
const STABLE = 10_000;
const END_AT_LATEST = 5_000;

/** Writes a file so that a crash leaves the old or the new content, and only its owner can read it. */
async function writeDurably(directory: string, name: string, text: string): Promise<void> {
  const temporary = join(directory, `.${name}.new`);
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(directory, name));
}

/** Makes the driver. `folder` holds one directory a runtime; `agent` is the agent's program, `planeHost` its PLANE_HOST. */
export function createLocalDriver(options: {
  readonly folder: string;
  readonly agent: string;
  readonly planeHost?: string | undefined;
  readonly log: Logger;
}): LocalDriver {
  const { folder, agent, planeHost, log } = options;
  const runtimes = new Map<string, Running>();
  let closed = false;

  const directoryOf = (id: string): string => {
    if (!isUUID(id)) throw new Error("a runtime's id is a UUID");
    return join(folder, id);
  };
  const read = async (id: string): Promise<Kept | undefined> => {
    try {
      return JSON.parse(await readFile(join(directoryOf(id), "runtime.json"), "utf8")) as Kept;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  };
  const write = (id: string, kept: Kept) =>
    writeDurably(directoryOf(id), "runtime.json", JSON.stringify(kept));
  const running = (id: string): Running => {
    let known = runtimes.get(id);
    if (known === undefined)
      runtimes.set(
        id,
        (known = { child: undefined, ending: false, failures: 0, timer: undefined }),
      );
    return known;
  };

  /** Starts the process, and again whenever it dies unasked. */
  const launch = (id: string, kept: Kept): void => {
    const state = running(id);
    if (closed || state.child !== undefined) return;
    const started = performance.now();
    const child = spawn(process.execPath, [agent], {
      env: {
        ...kept.injected,
        ...(planeHost === undefined ? {} : { PLANE_HOST: planeHost }),
        AGENT_DIR: join(directoryOf(id), "agent"),
        LOG_LEVEL: kept.logLevel,
        LOG_FORMAT: "json",
      },
      // The channel ends with this process, however it ends, and the agent ends with the channel.
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    state.child = child;
    state.ending = false;
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      process.stdout.write(
        `${line.replace('"service":"runtime-agent"', `"service":"runtime-agent","runtime":${JSON.stringify(kept.name)}`)}\n`,
      );
    });
    const ended = (code: number | null, signal: string | null): void => {
      if (state.child !== child) return;
      state.child = undefined;
      if (state.ending || closed) return;
      state.failures = performance.now() - started > STABLE ? 0 : state.failures + 1;
      const pause = Math.min(FIRST_PAUSE * 2 ** state.failures, LONGEST_PAUSE);
      log.warn({ runtimeID: id, code, signal, pause }, "the agent ended and is started again");
      state.timer = setTimeout(() => launch(id, kept), pause);
    };
    child.on("error", (error) => {
      log.error({ runtimeID: id, err: error }, "the agent cannot be started");
      // What never started does not end either.
      if (child.pid === undefined) ended(null, null);
    });
    child.on("exit", ended);
  };

  const halt = async (id: string): Promise<void> => {
    const state = runtimes.get(id);
    if (state === undefined) return;
    clearTimeout(state.timer);
    state.ending = true;
    const { child } = state;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const kill = setTimeout(() => child.kill("SIGKILL"), END_AT_LATEST);
      child.once("exit", () => {
        clearTimeout(kill);
        resolve();
      });
      child.kill("SIGTERM");
    });
  };

  const turns = new Map<string, Promise<unknown>>();
  /** One verb at a time on a runtime: a start that takes long must not outlive the removal that comes behind it. */
  const inTurn = <Value>(id: string, verb: () => Promise<Value>): Promise<Value> => {
    const mine = (turns.get(id) ?? Promise.resolve()).then(verb, verb);
    turns.set(id, mine);
    const forget = (): void => {
      if (turns.get(id) === mine) turns.delete(id);
    };
    mine.then(forget, forget);
    return mine;
  };

  return {
    validate(given) {
      const result = parameters.safeParse(given);
      if (result.success) return [];
      return result.error.issues.map((issue) => ({
        field: ["parameters", ...issue.path].join("."),
        message: issue.message,
      }));
    },
    create: (spec: RuntimeSpec) =>
      inTurn(spec.id, async () => {
        const { logLevel } = parameters.parse(spec.parameters);
        await mkdir(join(directoryOf(spec.id), "agent"), { recursive: true, mode: 0o700 });
        const kept = (await read(spec.id)) ?? { desired: "stopped" };
        await write(spec.id, { ...kept, name: spec.name, logLevel });
      }),
    inject: (id, injected) =>
      inTurn(id, async () => {
        const kept = await read(id);
        if (kept === undefined) throw new Error("the runtime's directory is missing");
        await halt(id);
        // What the agent holds from an earlier pairing goes, so that it pairs with this token.
        const own = join(directoryOf(id), "agent");
        await rm(own, { recursive: true, force: true });
        await mkdir(own, { mode: 0o700 });
        await write(id, { ...kept, injected });
      }),
    start: (id) =>
      inTurn(id, async () => {
        const kept = await read(id);
        if (kept === undefined) throw new Error("the runtime's directory is missing");
        await write(id, { ...kept, desired: "running" });
        await halt(id);
        launch(id, kept);
      }),
    async observe(id) {
      if (runtimes.get(id)?.child !== undefined) return "running";
      return (await read(id)) === undefined ? "absent" : "stopped";
    },
    remove: (id) =>
      inTurn(id, async () => {
        await halt(id);
        runtimes.delete(id);
        await rm(directoryOf(id), { recursive: true, force: true });
      }),
    async resume() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      for (const id of await readdir(folder)) {
        const kept = isUUID(id) ? await read(id) : undefined;
        if (kept?.desired === "running") launch(id, kept);
      }
    },
    async close() {
      closed = true;
      await Promise.all([...runtimes.keys()].map(halt));
    },
  };
}

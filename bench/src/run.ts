import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedPostgres, freePorts } from "@sextant/local-plane";
import { silentLogger } from "@sextant/logging";
import { Client } from "pg";
import { changeToAgent } from "./change-to-agent.ts";
import { type Bench, configPoll, nestedList, pointRead, straightPath } from "./comparisons.ts";
import { processTree, proportionalMemory } from "./measure/cpu.ts";
import { type Plane, startPlane } from "./plane.ts";
import { generatePrisma } from "./reference/generate.ts";
import { pairRuntime, seedApplications } from "./seed.ts";

const HELP = `Measures a plane of its own on this machine, the reference beside it in the same run.

  npm run bench                  all of them
  npm run bench -- <name…>       only these: start, nested-list, point-read, config-poll, straight-path, change-to-agent

Every rate is the median of three rounds taken in turns, with 16 clients; CPU is that of the servers and PostgreSQL, for one operation.
`;

const comparisons: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  "nested-list": nestedList,
  "point-read": pointRead,
  "config-poll": configPoll,
  "straight-path": straightPath,
  "change-to-agent": ({ plane }) => changeToAgent(plane),
};
const names = ["start", ...Object.keys(comparisons)];

/** The command `npm run bench`: answers with the exit code. */
export async function runBench(words: readonly string[]): Promise<number> {
  if (words.includes("--help") || words.includes("-h")) {
    process.stdout.write(HELP);
    return 0;
  }
  const unknown = words.find((word) => !names.includes(word));
  if (unknown !== undefined) {
    process.stderr.write(`bench: there is no "${unknown}": choose of ${names.join(", ")}\n`);
    return 1;
  }
  const chosen = words.length === 0 ? names : words;
  const folder = mkdtempSync(join(tmpdir(), "sextant-bench-"));
  try {
    if (chosen.includes("start")) await measureStart(folder);
    if (chosen.some((name) => name !== "start")) await measureOperations(folder, chosen);
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Warm start and memory of a whole plane with its own PostgreSQL. */
async function measureStart(folder: string): Promise<void> {
  const home = join(folder, "start");
  const [port = 0] = await freePorts(2);
  const cold = await startPlane(home, port, undefined);
  await cold.stop();
  const warm: number[] = [];
  let memory = 0;
  for (let round = 0; round < 3; round += 1) {
    const plane = await startPlane(home, port, undefined);
    warm.push(plane.startedIn);
    if (round === 2) {
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      memory = proportionalMemory(processTree(plane.pid));
    }
    await plane.stop();
  }
  const median = warm.toSorted((a, b) => a - b)[1] ?? 0;
  console.log("\nStart and memory of the whole plane with its own PostgreSQL, without agents");
  console.log(`  first start to ready        ${(cold.startedIn / 1000).toFixed(2)} s`);
  console.log(`  warm start to ready         ${(median / 1000).toFixed(2)} s   goal 5 s`);
  console.log(`  idle, proportional set size ${memory.toFixed(0)} MiB   goal 700 MiB`);
}

async function measureOperations(folder: string, chosen: readonly string[]): Promise<void> {
  generatePrisma();
  const [databasePort = 0, port = 0] = await freePorts(3);
  const server = await embeddedPostgres({
    directory: join(folder, "postgres"),
    port: databasePort,
    log: silentLogger,
  });
  await server.process.start();
  let plane: Plane | undefined;
  try {
    plane = await startPlane(join(folder, "plane"), port, server.ownerURL);
    const applicationID = await seedApplications(plane);
    const runtime = await pairRuntime(plane, "bench");
    // As the superuser, who passes through row-level security: the reference does less than the plane.
    const databaseURL = server.superuserURL.replace(
      /\/postgres$/,
      new URL(server.ownerURL).pathname,
    );
    const database = new Client({ connectionString: databaseURL });
    await database.connect();
    await database.query("analyze");
    const tenant =
      (await database.query<{ id: string }>("select id from tenant")).rows[0]?.id ?? "";
    await database.end();
    const postgres = server.process.pid;
    if (postgres === undefined) throw new Error("PostgreSQL does not run");
    const bench: Bench = { plane, applicationID, runtime, databaseURL, tenant, postgres };
    for (const name of chosen) await comparisons[name]?.(bench);
  } finally {
    await plane?.stop();
    await server.process.stop();
  }
}

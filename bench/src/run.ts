import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedPostgres, freePorts } from "@sextant/local-plane";
import { silentLogger } from "@sextant/logging";
import { Client } from "pg";
import { changeToAgent } from "./change-to-agent.ts";
import { configPoll, straightPath } from "./comparisons.ts";
import { certificates } from "./trust/certificates.ts";
import { hostileRequests } from "./trust/hostile-requests.ts";
import { pairings } from "./trust/pairings.ts";
import { handshakes } from "./gateway/handshakes.ts";
import { heldAgents } from "./gateway/held-agents.ts";
import { joinTwo } from "./gateway/join.ts";
import { revocation } from "./gateway/revocation.ts";
import { nestedList, nestedRuntimes, pointRead, runtimeLabels } from "./director.ts";
import { growth } from "./growth.ts";
import { processTree, proportionalMemory } from "./measure/cpu.ts";
import { printMachine } from "./measure/machine.ts";
import { type Plane, startPlane } from "./plane.ts";
import { generatePrisma } from "./reference/generate.ts";
import { pairRuntime, seedApplications, seedFleet, seedSites } from "./seed.ts";
import type { Bench } from "./stage.ts";

const comparisons: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  "nested-list": nestedList,
  "nested-runtimes": nestedRuntimes,
  "point-read": pointRead,
  "runtime-labels": runtimeLabels,
  "config-poll": configPoll,
  "straight-path": straightPath,
  join: joinTwo,
  "change-to-agent": ({ plane }) => changeToAgent(plane),
  certificates,
  pairings,
  "hostile-requests": hostileRequests,
  handshakes,
  "held-agents": heldAgents,
  revocation,
  growth,
};
const groups: Readonly<Record<string, readonly string[]>> = {
  director: ["nested-list", "nested-runtimes", "point-read", "runtime-labels", "growth"],
  trust: [
    ...["certificates", "pairings", "hostile-requests", "handshakes", "held-agents", "revocation"],
    ...["straight-path", "join"],
  ],
  gateway: ["config-poll", "straight-path", "join", "change-to-agent"],
};
const names = ["start", ...Object.keys(comparisons)];
const DEFAULTS = { seconds: 4, tenants: 10_000, agents: 2_000 };

const HELP = `Measures a plane of its own on this machine, the references beside it in the same run.

  npm run bench                  all of them
  npm run bench -- <name…>       only these: ${names.join(", ")}
  npm run bench -- director      ${groups["director"]?.join(", ")}
  npm run bench -- trust         ${groups["trust"]?.join(", ")}
  npm run bench -- gateway       ${groups["gateway"]?.join(", ")}

  --tenants=<n>   how many tenants growth ends with, from 1,000 on; default ${DEFAULTS.tenants} (1 million runtimes, 3 million APIs)
  --agents=<n>    how many agents hold a poll in held-agents; default ${DEFAULTS.agents}
  --seconds=<n>   how long a round lasts, after half as long to warm up; default ${DEFAULTS.seconds}

Every rate is the median of three rounds taken in turns, with 16 clients; CPU is that of the servers and PostgreSQL, for one operation.
`;

/** What the command line asks for, or what is wrong with it. */
type Wanted = {
  readonly names: readonly string[];
  readonly seconds: number;
  readonly tenants: number;
  readonly agents: number;
};

function readWords(words: readonly string[]): Wanted | string {
  const options = new Map<string, number>();
  const wanted = new Set<string>();
  for (const word of words) {
    const [, option = "", value = ""] =
      /^--(seconds|tenants|agents)=([1-9]\d{0,5})$/.exec(word) ?? [];
    if (option !== "") options.set(option, Number(value));
    else if (names.includes(word)) wanted.add(word);
    else if (groups[word] !== undefined) for (const name of groups[word]) wanted.add(name);
    else return `there is no "${word}": choose of ${[...names, ...Object.keys(groups)].join(", ")}`;
  }
  return {
    names: wanted.size === 0 ? names : names.filter((name) => wanted.has(name)),
    seconds: options.get("seconds") ?? DEFAULTS.seconds,
    tenants: Math.max(1, options.get("tenants") ?? DEFAULTS.tenants),
    agents: options.get("agents") ?? DEFAULTS.agents,
  };
}

/** The command `npm run bench`: answers with the exit code. */
export async function runBench(words: readonly string[]): Promise<number> {
  if (words.includes("--help") || words.includes("-h")) {
    process.stdout.write(HELP);
    return 0;
  }
  const wanted = readWords(words);
  if (typeof wanted === "string") {
    process.stderr.write(`bench: ${wanted}\n`);
    return 1;
  }
  printMachine();
  const folder = mkdtempSync(join(tmpdir(), "sextant-bench-"));
  try {
    if (wanted.names.includes("start")) await measureStart(folder);
    if (wanted.names.some((name) => name !== "start")) await measureOperations(folder, wanted);
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

async function measureOperations(folder: string, wanted: Wanted): Promise<void> {
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
    const siteIDs = await seedSites(plane);
    await seedFleet(plane);
    // As the superuser, who passes through row-level security: the reference does less than the plane.
    const databaseURL = server.superuserURL.replace(
      /\/postgres$/,
      new URL(server.ownerURL).pathname,
    );
    const database = new Client({ connectionString: databaseURL });
    await database.connect();
    await database.query(readFileSync(new URL("reference/functions.sql", import.meta.url), "utf8"));
    await database.query("analyze");
    const tenant =
      (await database.query<{ id: string }>("select id from tenant")).rows[0]?.id ?? "";
    await database.end();
    const postgres = server.process.pid;
    if (postgres === undefined) throw new Error("PostgreSQL does not run");
    const { seconds, tenants, agents } = wanted;
    const bench: Bench = {
      ...{ plane, applicationID, runtime, siteIDs, databaseURL, tenant, postgres },
      ...{ seconds, tenants, agents },
    };
    for (const name of wanted.names) await comparisons[name]?.(bench);
  } finally {
    await plane?.stop();
    await server.process.stop();
  }
}

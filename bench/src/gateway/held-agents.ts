/** What agents that hold polls cost the gateway, and how many conditional polls it answers beside them. */
import { type ChildProcess, fork } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { configPollLoad } from "../comparisons.ts";
import { measure, print } from "../measure/compare.ts";
import { cpuBetween, cpuTimes, proportionalMemory } from "../measure/cpu.ts";
import { pairRuntime } from "../seed.ts";
import { type Bench, planeProcesses } from "../stage.ts";
import type { AgentLoad } from "./agent-load.ts";

/** Runtimes with a certificate each; more agents share them. */
const RUNTIMES = 100;
const SETTLE = 3_000;
const IDLE = 10_000;

async function holding(load: AgentLoad): Promise<ChildProcess> {
  const child = fork(new URL("agent-load.ts", import.meta.url), {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  child.send(load);
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`the agents ended with ${code}`)));
  });
  return child;
}

async function ended(child: ChildProcess): Promise<void> {
  const end = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.disconnect();
  await end;
}

/** Opens the connections, looks at the gateway's memory and CPU time, and asks beside them. */
export async function heldAgents(bench: Bench): Promise<void> {
  const { plane, agents } = bench;
  const gateway = [plane.services["api-gateway"]?.pid ?? 0];
  const certificates: AgentLoad["certificates"][number][] = [];
  for (let index = 0; index < Math.min(agents, RUNTIMES); index += 1)
    certificates.push((await pairRuntime(plane, `held-${index}`)).certificate);
  const load = { url: plane.mtlsURL, caFile: plane.caFile, certificates };
  const poll = {
    name: "conditional poll, nobody waits",
    load: await configPollLoad(bench),
    processes: planeProcesses(bench),
  };
  const alone = await measure(poll);
  // What the first connections of a process cost by themselves is not counted.
  await ended(await holding({ ...load, agents: Math.min(agents, RUNTIMES) }));
  await pause(SETTLE);
  const before = proportionalMemory(gateway);
  const begun = performance.now();
  const holders = await holding({ ...load, agents });
  const opened = (performance.now() - begun) / 1_000;
  await pause(SETTLE);
  const added = () => ((proportionalMemory(gateway) - before) * 1024) / agents;
  const opening = added();
  const times = cpuTimes(gateway);
  await pause(IDLE);
  const idle = cpuBetween(times, cpuTimes(gateway)) / (IDLE / 1_000);
  const beside = await measure({ ...poll, name: `conditional poll, ${agents} wait` });
  const later = added();
  await ended(holders);
  print("Held polls and conditional polls (goal: 8,000/s)", [alone, beside], "mTLS, 16 clients");
  console.log(
    `  ${agents} held polls, opened and given their plan in ${opened.toFixed(1)} s: ${opening.toFixed(1)} KiB each, ${later.toFixed(1)} KiB after the conditional polls (goal 80); while they wait the gateway uses ${(idle * 100).toFixed(1)} % of a core`,
  );
}

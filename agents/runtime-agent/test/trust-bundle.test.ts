/** An agent follows the plane's trust bundle: authorities come and go, and no poll fails. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startAgent, until, type AgentProcess } from "./agent-process.ts";
import { startTestPlane, type TestPlane } from "./test-plane.ts";

let plane: TestPlane;
let directory: string;
let agent: AgentProcess;

beforeEach(async () => {
  plane = await startTestPlane();
  directory = mkdtempSync(join(tmpdir(), "sextant-agent-"));
  agent = startAgent({
    AGENT_DIR: directory,
    CONNECTOR_URL: `${plane.publicUrl}/connector/graphql`,
    TOKEN: plane.newToken(),
    CA_PIN: `sha256//${plane.caPin}`,
  });
  await until("a report", () => plane.reports.length > 0);
});
afterEach(async () => {
  agent.kill("SIGKILL");
  await agent.ended;
  await plane.close();
  rmSync(directory, { recursive: true, force: true });
});

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const identity = (): { readonly ca: string; readonly trustBundle?: string } =>
  JSON.parse(readFileSync(join(directory, "identity.json"), "utf8")) as { ca: string };
const polls = (): number => plane.count("/v1/runtime/plan");
/** The small plane of the tests tells no window for renewal. */
const faults = () =>
  agent.log.filter(({ level, msg }) => Number(level) >= 40 && msg !== "renewal window not told");
/** Makes the agent poll: it gets a new plan, and asks for the next. */
async function nextPoll(): Promise<void> {
  const before = polls();
  plane.setPlan({ applications: [] });
  await until("the next poll", () => polls() > before);
}
async function give(bundle: string): Promise<void> {
  plane.bundle = bundle;
  await nextPoll();
  await until("an acknowledgement", () => plane.namedBundles.at(-1) === sha256(bundle));
}

describe("the trust bundle", () => {
  it("is taken, kept and named to the plane with every poll from then on", async () => {
    expect(plane.namedBundles.every((named) => named === undefined)).toBe(true);
    await give(plane.above);
    expect(identity()).toMatchObject({ ca: plane.above, trustBundle: sha256(plane.above) });
    await nextPoll();
    expect(plane.namedBundles.at(-1)).toBe(sha256(plane.above));
  });

  it("lets the plane change its root without a poll that fails", async () => {
    const others = await plane.otherAuthorities();
    await give(plane.above + others.bundle);
    others.show();
    await nextPoll();
    await give(others.bundle);
    expect(identity().ca).toBe(others.bundle);
    await nextPoll();
    expect(faults().filter(({ msg }) => msg.includes("not trusted"))).toEqual([]);
  });

  it("that the plane cannot be reached by adds to whom the agent trusts, and replaces nobody", async () => {
    const others = await plane.otherAuthorities();
    const before = identity().ca;
    await give(others.bundle);
    expect(identity().ca).toContain(before.trim());
    expect(identity().ca).toContain(others.bundle.trim());
    await nextPoll();
    expect(faults()).toEqual([]);
  });

  it("that is none, or not the one that was named, is not taken, and polls go on", async () => {
    const before = identity().ca;
    plane.bundle = "nothing";
    await nextPoll();
    await until("a word of it", () => faults().some(({ msg }) => msg === "trust bundle not taken"));
    await nextPoll();
    expect(identity()).toEqual(expect.objectContaining({ ca: before }));
    expect(identity().trustBundle).toBeUndefined();
    await give(plane.above);
  });
});

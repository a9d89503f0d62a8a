/** How long a change takes to reach an agent that holds a poll. */
import { readFileSync } from "node:fs";
import { Agent, request } from "undici";
import type { Plane } from "./plane.ts";
import { pairRuntime } from "./seed.ts";

const CHANGES = 200;

/** Changes credentials again and again, and waits for each at a runtime that polls. Prints the latencies. */
export async function changeToAgent(plane: Plane): Promise<void> {
  const runtime = await pairRuntime(plane, "bench-change");
  const dispatcher = new Agent({
    connect: { ca: readFileSync(plane.caFile), ...runtime.certificate },
  });
  const input = { name: "changing", bundles: [{ name: "bundle" }] };
  const { registerApplication } = await plane.graphql<{
    registerApplication: { bundles: { data: { id: string }[] } };
  }>(
    "mutation($in: ApplicationRegisterInput!) { registerApplication(in: $in) { bundles { data { id } } } }",
    { in: input },
  );
  const bundleID = registerApplication.bundles.data[0]?.id;
  const auth = (password: string) => ({ credential: { basic: { username: "bench", password } } });
  const { made } = await plane.graphql<{ made: { id: string } }>(
    "mutation($id: ID!, $in: BundleInstanceAuthCreateInput!) { made: createBundleInstanceAuth(bundleID: $id, in: $in) { id } }",
    { id: bundleID, in: { runtimeID: runtime.id, auth: auth("first") } },
  );

  const poll = async (tag: string | undefined): Promise<{ tag: string; text: string }> => {
    for (;;) {
      const answer = await request(`${plane.mtlsURL}/v1/runtime/plan`, {
        dispatcher,
        headers: { prefer: "wait=20", ...(tag === undefined ? {} : { "if-none-match": tag }) },
      });
      const text = await answer.body.text();
      if (answer.statusCode === 200) return { tag: String(answer.headers["etag"]), text };
    }
  };
  let current = await poll(undefined);
  while (!current.text.includes('"first"')) current = await poll(current.tag);

  const latencies: number[] = [];
  for (let change = 0; change < CHANGES; change += 1) {
    const held = poll(current.tag);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const begun = performance.now();
    await plane.graphql(
      "mutation($id: ID!, $in: BundleInstanceAuthUpdateInput!) { updateBundleInstanceAuth(id: $id, in: $in) { id } }",
      {
        id: made.id,
        in: { auth: auth(`change-${change}`) },
      },
    );
    current = await held;
    while (!current.text.includes(`"change-${change}"`)) current = await poll(current.tag);
    latencies.push(performance.now() - begun);
  }
  await dispatcher.close();
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  console.log(
    `\nChange → agent: from the admin's request to the new plan at an agent that holds a poll, ${CHANGES} changes`,
  );
  console.log(
    `  p50 ${at(0.5)} ms   p99 ${at(0.99)} ms   longest ${at(0.999)} ms   goal p99 1000 ms`,
  );
}

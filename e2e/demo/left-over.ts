/** Takes away what demos have left on a plane. */
import type { Caller } from "../story/caller.ts";
import { until } from "../story/until.ts";

/** Every name that a demo gives ends so. */
export const SUFFIX = /-demo-[0-9a-f]{4}$/;

interface Named {
  readonly id: string;
  readonly name: string;
}

/** Every object of a list. */
async function all(admin: Caller, list: "applications" | "runtimes"): Promise<Named[]> {
  const found: Named[] = [];
  for (let after: string | undefined; ;) {
    const answer: Record<
      string,
      { data: Named[]; pageInfo: { endCursor: string; hasNextPage: boolean } }
    > = await admin.ask(
      `query ($after: PageCursor) { ${list}(after: $after) { data { id name } pageInfo { endCursor hasNextPage } } }`,
      { after },
    );
    const page = answer[list];
    if (page === undefined) return found;
    found.push(...page.data);
    if (!page.pageInfo.hasNextPage) return found;
    after = page.pageInfo.endCursor;
  }
}

/** Removes a runtime, by the provisioner when that has made it. */
async function removeRuntime(admin: Caller, id: string): Promise<void> {
  const { runtimeStatus } = await admin.ask<{ runtimeStatus: { runtimeID: string } | null }>(
    "query ($id: String!) { runtimeStatus(id: $id) { runtimeID } }",
    { id },
  );
  if (runtimeStatus === null) {
    await admin.ask("mutation ($id: ID!) { unregisterRuntime(id: $id) { id } }", { id });
    return;
  }
  const { deprovisionRuntime: begun } = await admin.ask<{ deprovisionRuntime: { id: string } }>(
    "mutation ($id: String!) { deprovisionRuntime(id: $id) { id } }",
    { id },
  );
  await until("the runtime is deprovisioned", async () => {
    const { runtimeOperationStatus: now } = await admin.ask<{
      runtimeOperationStatus: { state: string; message: string };
    }>("query ($id: String!) { runtimeOperationStatus(id: $id) { state message } }", {
      id: begun.id,
    });
    if (now.state === "Failed" || now.state === "Cancelled") throw new Error(now.message);
    return now.state === "Succeeded";
  });
}

/** Removes everything that demos have made; answers with the names. */
export async function removeLeftOver(admin: Caller): Promise<string[]> {
  const isOurs = ({ name }: Named): boolean => SUFFIX.test(name);
  const runtimes = (await all(admin, "runtimes")).filter(isOurs);
  for (const { id } of runtimes) await removeRuntime(admin, id);
  const applications = (await all(admin, "applications")).filter(isOurs);
  for (const { id } of applications)
    await admin.ask("mutation ($id: ID!) { unregisterApplication(id: $id) { id } }", { id });
  return [...runtimes, ...applications].map(({ name }) => name);
}

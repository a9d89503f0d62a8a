/** What the demo says when the story is told. */
import { relative } from "node:path";
import type { StoryPlane } from "../story/plane.ts";
import type { Story } from "../story/tell-story.ts";

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const ms = (value: number): string => `${value.toFixed(0)} ms`;

/** Numbers that were measured on the way. */
function measured({ bundle, runtime, credentials, revokedByHolder, probes }: Story): string[] {
  const times = credentials.toFile ?? credentials.toPoll;
  return [
    `${(bundle.openAPI.bytes / 1e6).toFixed(1)} MB of OpenAPI registered in ${ms(bundle.took)}, and read back byte for byte`,
    `runtime provisioned, paired, applied and ready in ${(runtime.took / 1000).toFixed(1)} s`,
    `credentials with the agent ${ms(median(times))} after the request (median of ${times.length}; slowest ${ms(Math.max(...times))})`,
    `a revoked certificate refused ${ms(revokedByHolder.onOpenConnection)} later, on the connection that was open`,
    `${probes.length} operations with another tenant's ids, all answered as if there were nothing`,
  ];
}

/** The last lines: what the plane has now, and where to go on. */
export function ending(plane: StoryPlane, home: string, story: Story): string {
  const { shop, invisible, defaultGroup, runtime } = story;
  const path = (file: string): string => {
    const short = relative(process.cwd(), file);
    return short.startsWith("..") ? file : short;
  };
  const planFile = plane.agentDirectory?.(runtime.id);
  const query = `{ runtimes { data { name status { condition } } } }`;
  const forThisHome = path(home) === ".sextant" ? "" : `SEXTANT_HOME=${path(home)} `;
  return `
  Measured on the way:
${measured(story)
  .map((line) => `    ${line}`)
  .join("\n")}

  The plane has now:
    application ${shop.name}, paired, in group ${String((shop.labels as { group: unknown }).group)}
    application ${invisible.warehouse.name}, in group ${String((invisible.warehouse.labels as { group: unknown }).group)}
    application ${defaultGroup.catalog.name}, in group default
    runtime ${runtime.name}, CONNECTED, with the credentials of ${shop.name}

  Look at next:
    ${plane.publicURL}/graphql   the explorer; its tab Headers takes { "Authorization": "Bearer <token>" },
      with the token in ${path(`${home}/admin-token`)}
${planFile === undefined ? "" : `    cat ${path(`${planFile}/plan.json`)}\n`}    curl --cacert ${path(plane.caFile)} -H "Authorization: Bearer $(cat ${path(`${home}/admin-token`)})" \\
      -H 'Content-Type: application/json' -d '{"query":"${query}"}' ${plane.publicURL}/graphql
    docs/first-steps.md: the same story by hand
    ${forThisHome}npm run demo -- --remove   takes away what demos have left
`;
}

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
    `credentials with the agent after ${ms(median(times))} (median of ${times.length}; slowest ${ms(Math.max(...times))})`,
    `a revoked certificate refused after ${ms(revokedByHolder.onOpenConnection)}, on the open connection`,
    `${probes.length} operations on another tenant's ids answered as if there were nothing`,
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
  const planLines =
    planFile === undefined
      ? ""
      : `\n    What the agent has written:\n    cat ${path(`${planFile}/plan.json`)}\n`;
  const tokenFile = path(`${home}/admin-token`);
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

    The explorer, at ${plane.publicURL}/graphql; under Headers it takes
    { "Authorization": "Bearer <token>" } with the token in ${tokenFile}

    The runtimes, asked for by hand:
    curl --cacert ${path(plane.caFile)} -H "Authorization: Bearer $(cat ${tokenFile})" \\
      -H 'Content-Type: application/json' \\
      -d '{"query":"${query}"}' \\
      ${plane.publicURL}/graphql
${planLines}
    The same story by hand: docs/first-steps.md

    To take away what demos have left: ${forThisHome}npm run demo -- --remove

`;
}

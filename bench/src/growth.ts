/** Whether what is asked takes longer when the plane has more tenants. */
import { readFileSync } from "node:fs";
import { Agent, request } from "undici";
import { Client } from "pg";
import { measure, type Score } from "./measure/compare.ts";
import type { Load } from "./measure/load.ts";
import { filledIn, perTenant, tenantName } from "./measure/spread.ts";
import { type Bench, graphqlLoad, partsOf, planeProcesses, rounds } from "./stage.ts";

const SMALL = 1000;

/** `k0000000-0000-7nnn-8000-tttttttttttt` in SQL, as measure/spread.ts has it. */
const id = (kind: number, number: string, tenant: string): string =>
  `('${kind}0000000-0000-7' || lpad(to_hex(${number}), 3, '0') || '-8000-' || lpad(to_hex(${tenant}), 12, '0'))::uuid`;

/**
 * Rows for the tenants of a range. Objects of different tenants lie beside each other in the tables, as they do when tenants grow
 * together. Two lists of statements, each for a connection of its own.
 */
function seedStatements(from: number, to: number): readonly (readonly string[])[] {
  const { runtimes, applications, bundlesOfApplication, apisOfBundle, groups } = perTenant;
  const tenants = `generate_series(${from}, ${to}) t`;
  const tenant = id(9, "0", "t");
  const of = (count: number, name: string): string => `generate_series(1, ${count}) ${name}`;
  const labels = (kind: "runtime" | "application", count: number, own: string): string[] => {
    const number = kind === "runtime" ? 1 : 2;
    const group = `to_json('group-' || ${own} % ${groups})::text`;
    const region = `to_json('region-' || lpad(to_hex(1 + ${own} % ${groups}), 2, '0'))::text`;
    const rows = (table: string, column: string, key: string, value: string): string =>
      `insert into ${table} (tenant_id, kind, object_id, key, ${column})
       select ${tenant}, '${kind}', ${id(number, own, "t")}, '${key}', ${value} from ${of(count, own)} cross join ${tenants}`;
    return [
      rows("label", "value", "group", `'[' || ${group} || ']'`),
      rows("label_element", "element", "group", group),
      rows("label", "value", "region", region),
      rows("label_element", "element", "region", region),
    ];
  };
  const bundle = id(3, "b", "t");
  return [
    [
      `insert into runtime (tenant_id, id, name, description, status_condition, status_timestamp)
       select ${tenant}, ${id(1, "r", "t")}, 'runtime-' || r, 'One of many', 'CONNECTED', now() from ${of(runtimes, "r")} cross join ${tenants}`,
      `insert into sync_state (tenant_id, id, desired_revision, applied_revision, applied, ready)
       select ${tenant}, ${id(1, "r", "t")}, 0, 0, false, false from ${of(runtimes, "r")} cross join ${tenants}`,
      ...labels("runtime", runtimes, "r"),
    ],
    [
      `insert into application (tenant_id, id, name, description, status_condition, status_timestamp)
       select ${tenant}, ${id(2, "a", "t")}, 'application-' || a, 'One of many', 'CONNECTED', now() from ${of(applications, "a")} cross join ${tenants}`,
      ...labels("application", applications, "a"),
      `insert into bundle (tenant_id, id, application_id, name)
       select ${tenant}, ${bundle}, ${id(2, `1 + b / ${bundlesOfApplication}`, "t")}, 'bundle-' || b
       from generate_series(0, ${applications * bundlesOfApplication - 1}) b cross join ${tenants}`,
      `insert into api_definition (tenant_id, id, application_id, bundle_id, name, target_url)
       select ${tenant}, ${id(4, "i", "t")}, ${id(2, `1 + i / ${bundlesOfApplication * apisOfBundle}`, "t")},
         ${id(3, `i / ${apisOfBundle}`, "t")}, 'api-' || i, 'https://application.example.com/' || i
       from generate_series(0, ${applications * bundlesOfApplication * apisOfBundle - 1}) i cross join ${tenants}`,
    ],
  ];
}

async function seedTenants(bench: Bench, from: number, to: number): Promise<void> {
  const begun = performance.now();
  const connect = async (): Promise<Client> => {
    const client = new Client({ connectionString: bench.databaseURL });
    await client.connect();
    // What is inserted is right by construction: foreign keys need not be looked up row by row.
    await client.query(
      "set session_replication_role = replica; set maintenance_work_mem = '256MB'",
    );
    return client;
  };
  const clients = await Promise.all([connect(), connect()]);
  const [one, other] = clients;
  await one.query(
    `insert into tenant (id, external_id, name)
     select ${id(9, "0", "t")}, 'tenant-' || lpad(to_hex(t), 8, '0'), 'Tenant ' || t from generate_series(${from}, ${to}) t`,
  );
  await one.query(
    `insert into label_definition (tenant_id, id, key)
     select ${id(9, "0", "t")}, ${id(5, "k", "t")}, (array['group', 'region', 'note'])[k]
     from generate_series(1, 3) k cross join generate_series(${from}, ${to}) t`,
  );
  const [first = [], second = []] = seedStatements(from, to);
  const run = async (client: Client, statements: readonly string[]): Promise<void> => {
    for (const statement of statements) await client.query(statement);
  };
  await Promise.all([run(one, first), run(other, second)]);
  // What a plane that has grown over time has behind it, and one that was just loaded before it: rows looked over once, statistics,
  // pages written. What is measured is growth, not loading.
  await one.query("vacuum (analyze)");
  await one.query("checkpoint");
  await Promise.all(clients.map((client) => client.end()));
  const seconds = (performance.now() - begun) / 1000;
  const count = (each: number): string => (to * each).toLocaleString("en");
  const { runtimes, applications, bundlesOfApplication, apisOfBundle } = perTenant;
  const apis = applications * bundlesOfApplication * apisOfBundle;
  console.log(
    `\n  ${to.toLocaleString("en")} tenants, ${count(runtimes)} runtimes, ${count(apis)} APIs (added in ${seconds.toFixed(0)} s)`,
  );
}

/** What is asked of every size. */
function loadsOf(bench: Bench, tenants: number): Readonly<Record<string, Load>> {
  const { plane, runtime } = bench;
  const spread = { tenants };
  const ask = (query: string, variables: object): Load => ({
    ...graphqlLoad(
      bench,
      `${plane.publicURL}/graphql`,
      { query, variables },
      {
        tenant: "{{tenant}}",
      },
    ),
    spread,
  });
  return {
    "point read": ask(`query ($id: ID!) { application(id: $id) { id name description } }`, {
      id: "{{application}}",
    }),
    "filtered list, 10 of 100 runtimes": ask(
      `query ($filter: [LabelFilter!]) { runtimes(filter: $filter, first: 20) { data { id name labels } } }`,
      { filter: [{ key: "region", query: '"{{region}}"' }] },
    ),
    "a runtime's applications and APIs": ask(
      `query ($id: ID!) { applicationsForRuntime(runtimeID: $id) { data { id name bundles { data { id name apiDefinitions { data { id name targetURL } } } } } } }`,
      { id: "{{runtime}}" },
    ),
    "plan poll, the whole plan": {
      ...rounds(bench),
      ...{ url: `${plane.mtlsURL}/v1/runtime/plan`, method: "GET", headers: {} },
      ...{ caFile: plane.caFile, certificate: runtime.certificate, status: 200 },
    },
    "mutation, a label of a runtime": ask(
      `mutation ($id: ID!) { setRuntimeLabel(runtimeID: $id, key: "note", value: true) { key } }`,
      { id: "{{runtime}}" },
    ),
  };
}

/** Throws unless a load is answered without an error. */
async function answers(bench: Bench, name: string, load: Load): Promise<void> {
  if (load.method !== "POST" || load.spread === undefined) return;
  const dispatcher = new Agent({ connect: { ca: readFileSync(bench.plane.caFile) } });
  const spread = { tenants: 1 };
  const headers = Object.fromEntries(
    Object.entries(load.headers).map(([key, value]) => [key, filledIn(value, spread)]),
  );
  const reply = await request(load.url, {
    ...{ method: "POST", dispatcher, headers, body: filledIn(load.body ?? "", spread) },
  });
  const text = await reply.body.text();
  await dispatcher.close();
  if (text.includes('"errors"') || text.includes("[]") || text.includes(":null"))
    throw new Error(`growth: ${name} is answered with ${text.slice(0, 500)}`);
}

/** Asks once in every tenant: what is measured is a plane at work, not one that meets each of its tenants for the first time. */
async function visitAll({ plane }: Bench, tenants: number): Promise<void> {
  const dispatcher = new Agent({ connect: { ca: readFileSync(plane.caFile) } });
  const body = JSON.stringify({ query: "{ applications(first: 1) { data { id } } }" });
  let next = 1;
  const visit = async (): Promise<void> => {
    while (next <= tenants) {
      const tenant = tenantName(next);
      next += 1;
      const headers = {
        ...{ "content-type": "application/json", tenant },
        authorization: `Bearer ${plane.adminToken}`,
      };
      const reply = await request(`${plane.publicURL}/graphql`, {
        ...{ method: "POST", dispatcher, headers, body },
      });
      await reply.body.dump();
    }
  };
  await Promise.all(Array.from({ length: 16 }, visit));
  await dispatcher.close();
}

type Measured = { readonly score: Score; readonly parts: string };

async function measureAll(bench: Bench, tenants: number): Promise<ReadonlyMap<string, Measured>> {
  const scores = new Map<string, Measured>();
  await visitAll(bench, tenants);
  for (const [name, load] of Object.entries(loadsOf(bench, tenants))) {
    await answers(bench, name, load);
    const score = await measure({ name, load, processes: planeProcesses(bench) });
    // Now: connections to the database are made anew now and then, and with them processes.
    scores.set(name, { score, parts: partsOf(bench, score) });
  }
  return scores;
}

/** The same questions at 1,000 tenants and at many more. */
export async function growth(bench: Bench): Promise<void> {
  const { tenants } = bench;
  const small = Math.min(SMALL, tenants);
  console.log("\nGrowth: every request is about a random tenant (goal: p99 at most 1.5 ×)");
  await seedTenants(bench, 1, small);
  const before = await measureAll(bench, small);
  if (small < tenants) await seedTenants(bench, small + 1, tenants);
  const after = small < tenants ? await measureAll(bench, tenants) : before;
  const head = ["per s", "p50 ms", "p99 ms", "CPU ms/op"].map((word) => word.padStart(10)).join("");
  console.log(
    `\n  ${"".padEnd(36)}${`${small} tenants`.padStart(40)}${`${tenants} tenants`.padStart(40)}`,
  );
  console.log(`  ${"".padEnd(36)}${head}${head}${"p99 ratio".padStart(11)}`);
  const columns = (score: Score): string =>
    [
      score.perSecond.toFixed(0),
      score.p50.toFixed(2),
      score.p99.toFixed(2),
      score.cpuPerOperation.toFixed(3),
    ]
      .map((text) => text.padStart(10))
      .join("");
  for (const [name, one] of before) {
    const other = after.get(name) ?? one;
    const ratio = (other.score.p99 / one.score.p99).toFixed(2).padStart(11);
    console.log(`  ${name.padEnd(36)}${columns(one.score)}${columns(other.score)}${ratio}`);
  }
  console.log("\n  CPU ms/op of each");
  for (const [name, one] of before) {
    const other = after.get(name) ?? one;
    console.log(`  ${name}\n    ${one.parts}\n    ${other.parts}`);
  }
}

/** Comparisons of Director's reads with a stock stack and with PostGraphile, all from the same tables. */
import { compare, type Contestant, print } from "./measure/compare.ts";
import {
  type Bench,
  graphqlLoad,
  planeProcesses,
  printParts,
  type Question,
  type Reference,
  sameAnswers,
  stockNote,
  withPostGraphile,
  withStock,
} from "./stage.ts";

/** The same question in the words of each. */
type Questions = {
  readonly stock: Question;
  readonly postgraphile: Question;
  readonly sextant: Question;
};

const note = [
  stockNote,
  "PostGraphile 5: preset Amber over TLS, from the same database, as superuser, so without authentication, tenants and row-level security; no gateway",
].join("\n  ");

async function against(
  bench: Bench,
  title: string,
  questions: Questions,
  clients: readonly number[] = [16],
): Promise<void> {
  await withStock(bench, (stock) =>
    withPostGraphile(bench, async (postgraphile) => {
      const contestant = (name: string, at: Reference, question: Question): Contestant => ({
        name,
        load: graphqlLoad(bench, at.url, question),
        processes: at.processes,
      });
      const plane = {
        url: `${bench.plane.publicURL}/graphql`,
        processes: planeProcesses(bench),
      };
      const contestants = [
        contestant("stock", stock, questions.stock),
        contestant("PostGraphile 5", postgraphile, questions.postgraphile),
        contestant("sextant", plane, questions.sextant),
      ];
      await sameAnswers(contestants.map(({ load }) => load));
      for (const count of clients) {
        const by = contestants.map((one) => ({ ...one, load: { ...one.load, clients: count } }));
        const scores = await compare(by);
        print(`${title}, ${count} client${count === 1 ? "" : "s"}`, scores, note);
        printParts(bench, scores.at(-1));
      }
    }),
  );
}

const applicationFields = `id name description
  bundles(first: 3) { data { id name description apiDefinitions(first: 3) { data { id name description targetURL group } } } }`;
/** The same with PostGraphile's names, renamed so that the answer is the same. */
const applicationFieldsThere = `id: rowId name description
  bundles: bundlesByTenantIdAndApplicationId(first: 3) { data: nodes { id: rowId name description
    apiDefinitions: apiDefinitionsByTenantIdAndApplicationIdAndBundleId(first: 3) {
      data: nodes { id: rowId name description targetURL: targetUrl group } } } }`;

/** What a runtime's agent asks: 20 applications × 3 bundles × 3 APIs. */
export function nestedList(bench: Bench): Promise<void> {
  const query = `query Nested($id: ID!) { applicationsForRuntime(runtimeID: $id, first: 20) { data { ${applicationFields} } } }`;
  const question = { query, variables: { id: bench.runtime.id } };
  const there = `query Nested($tenant: UUID!, $id: UUID!) {
    applicationsForRuntime(tenant: $tenant, runtime: $id, first: 20) { data: nodes { ${applicationFieldsThere} } } }`;
  return against(
    bench,
    "Nested list: a runtime's 20 applications × 3 bundles × 3 APIs (goal: 3 × stock, ahead of PostGraphile, 1,500/s)",
    {
      stock: question,
      sextant: question,
      postgraphile: {
        query: there,
        variables: { tenant: bench.tenant, id: bench.runtime.id },
      },
    },
  );
}

/** 20 runtimes × 3 applications × 3 APIs, in one operation. */
export function nestedRuntimes(bench: Bench): Promise<void> {
  const each = (one: (id: string, index: number) => string): string =>
    bench.siteIDs.map(one).join("\n");
  const question = {
    query: `query Sites { ${each(
      (id, index) =>
        `s${index}: applicationsForRuntime(runtimeID: "${id}", first: 3) { data { ...App } }`,
    )} } fragment App on Application { ${applicationFields} }`,
    variables: {},
  };
  const there = `query Sites($tenant: UUID!) { ${each(
    (id, index) =>
      `s${index}: applicationsForRuntime(tenant: $tenant, runtime: "${id}", first: 3) { data: nodes { ...App } }`,
  )} } fragment App on Application { ${applicationFieldsThere} }`;
  return against(
    bench,
    "Nested list: 20 runtimes × 3 applications × 3 APIs in one operation (goal: 3 × stock, ahead of PostGraphile)",
    {
      stock: question,
      sextant: question,
      postgraphile: { query: there, variables: { tenant: bench.tenant } },
    },
  );
}

/** One application by its id. */
export const pointQuery = `query Point($id: ID!) { application(id: $id) { id name description status { condition } } }`;
const pointQueryAlone = `query Point($id: ID!) { application(id: $id) { id name description } }`;

/** One application by its id. */
export function pointRead(bench: Bench): Promise<void> {
  const question = { query: pointQueryAlone, variables: { id: bench.applicationID } };
  const there = `query Point($tenant: UUID!, $id: UUID!) {
    application: applicationByTenantIdAndRowId(tenantId: $tenant, rowId: $id) { id: rowId name description } }`;
  return against(bench, "Point read: one application by its id (goal: 5,000/s)", {
    stock: question,
    sextant: question,
    postgraphile: {
      query: there,
      variables: { tenant: bench.tenant, id: bench.applicationID },
    },
  });
}

/** 300 runtimes with their labels: a full page and half of the next, in one operation. */
export async function runtimeLabels(bench: Bench): Promise<void> {
  const { first } = await bench.plane.graphql<{
    first: { data: readonly { readonly id: string }[]; pageInfo: { endCursor: string } };
  }>("{ first: runtimes(first: 200) { data { id } pageInfo { endCursor } } }");
  const ask = (type: string): string =>
    `query Labels($after: ${type}) {
      one: runtimes(first: 200) { data { id name labels } }
      two: runtimes(first: 100, after: $after) { data { id name labels } } }`;
  const there = `query Labels($tenant: UUID!) {
    one: allRuntimes(first: 200, condition: { tenantId: $tenant }) { data: nodes { id: rowId name labels } }
    two: allRuntimes(first: 100, offset: 200, condition: { tenantId: $tenant }) { data: nodes { id: rowId name labels } } }`;
  await against(
    bench,
    "List of 300 runtimes with their labels (goal: median 10 ms)",
    {
      stock: { query: ask("ID"), variables: { after: first.data.at(-1)?.id } },
      sextant: { query: ask("PageCursor"), variables: { after: first.pageInfo.endCursor } },
      postgraphile: { query: there, variables: { tenant: bench.tenant } },
    },
    [1, 16],
  );
}

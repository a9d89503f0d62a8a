/** The reference's subgraph: stock Apollo Server and Prisma, on the plane's own database, without authentication. */
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { PrismaPg } from "@prisma/adapter-pg";
import { parse } from "graphql";
import { referenceSDL } from "./sdl.ts";

/** As much of Prisma's client as is used: it is generated when the bench runs. */
type Table = {
  findMany(query: object): Promise<unknown[]>;
  findUnique(query: object): Promise<unknown>;
};
type Client = Readonly<Record<"application" | "runtime" | "labelElement" | "syncState", Table>>;

const generated = new URL("../../generated/prisma/client.ts", import.meta.url).href;
const { PrismaClient } = (await import(generated)) as {
  PrismaClient: new (options: { readonly adapter: PrismaPg }) => Client;
};

const tenantId = String(process.argv[3]);
const prisma = new PrismaClient({
  adapter: new PrismaPg({ connectionString: String(process.argv[2]), max: 16 }),
});

type Page = { readonly first?: number; readonly after?: string };
type Element = { readonly element: string; readonly objectId: string };
const page = (data: readonly unknown[]) => ({ data });
const oldestFirst = { orderBy: { id: "asc" } } as const;
/** An application with all that is in its bundles, by as few queries as Prisma makes of it. */
const whole = {
  include: {
    bundles: {
      ...{ where: { tenantId }, ...oldestFirst },
      include: { apiDefinitions: { where: { tenantId }, ...oldestFirst } },
    },
  },
} as const;

const resolvers = {
  Query: {
    applications: async (_: unknown, { first = 200 }: Page) =>
      page(
        await prisma.application.findMany({
          ...{ where: { tenantId }, ...oldestFirst, take: first, ...whole },
        }),
      ),
    applicationsForRuntime: async (
      _: unknown,
      { runtimeID, first = 200 }: Page & { runtimeID: string },
    ) => {
      const group = { tenantId, key: "group" };
      const mine = await prisma.labelElement.findMany({
        where: { ...group, kind: "runtime", objectId: runtimeID },
      });
      const elements = mine.map((one) => (one as Element).element);
      const theirs = await prisma.labelElement.findMany({
        where: { ...group, kind: "application", element: { in: elements } },
      });
      const ids = theirs.map((one) => (one as Element).objectId);
      const where = { tenantId, id: { in: ids } };
      return page(
        await prisma.application.findMany({ where, ...oldestFirst, take: first, ...whole }),
      );
    },
    runtimes: async (_: unknown, { first = 200, after }: Page) =>
      page(
        await prisma.runtime.findMany({
          where: { tenantId, ...(after === undefined ? {} : { id: { gt: after } }) },
          ...{ ...oldestFirst, take: first },
          include: { labels: { where: { tenantId, kind: "runtime" }, orderBy: { key: "asc" } } },
        }),
      ),
    runtime: (_: unknown, { id }: { id: string }) =>
      prisma.runtime.findUnique({ where: { tenantId_id: { tenantId, id } } }),
    application: (_: unknown, { id }: { id: string }) =>
      prisma.application.findUnique({ where: { tenantId_id: { tenantId, id } } }),
    plan: (_: unknown, { runtimeID }: { runtimeID: string }) =>
      prisma.syncState.findUnique({ where: { tenantId_id: { tenantId, id: runtimeID } } }),
  },
  Runtime: {
    labels: ({ labels }: { labels: { key: string; value: string }[] }) =>
      Object.fromEntries(labels.map(({ key, value }) => [key, JSON.parse(value) as unknown])),
  },
  Application: {
    status: ({ statusCondition }: { statusCondition: string }) => ({ condition: statusCondition }),
    bundles: ({ bundles }: { bundles: unknown[] }) => page(bundles),
  },
  Bundle: {
    apiDefinitions: ({ apiDefinitions }: { apiDefinitions: unknown[] }) => page(apiDefinitions),
  },
  APIDefinition: { targetURL: ({ targetUrl }: { targetUrl: string }) => targetUrl },
};

const server = new ApolloServer({
  schema: buildSubgraphSchema([{ typeDefs: parse(referenceSDL), resolvers }]),
});
const { url } = await startStandaloneServer(server, { listen: { host: "127.0.0.1", port: 0 } });
process.send?.({ url });
process.once("disconnect", () => process.exit(0));

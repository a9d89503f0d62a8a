/** The reference's second subgraph: certificates of runtimes, by Apollo Server and Prisma, on the plane's own database. */
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { PrismaPg } from "@prisma/adapter-pg";
import { parse } from "graphql";
import { certificatesSDL } from "./sdl.ts";

type Client = { readonly certificate: { findMany(query: object): Promise<unknown[]> } };

const generated = new URL("../../generated/prisma/client.ts", import.meta.url).href;
const { PrismaClient } = (await import(generated)) as {
  PrismaClient: new (options: { readonly adapter: PrismaPg }) => Client;
};

const tenantId = String(process.argv[3]);
const prisma = new PrismaClient({
  adapter: new PrismaPg({ connectionString: String(process.argv[2]), max: 16 }),
});
const page = async (where: object, take: number) => ({
  data: await prisma.certificate.findMany({
    ...{ where: { tenantId, ...where }, orderBy: { id: "asc" }, take },
  }),
});

const resolvers = {
  Query: {
    certificates: (_: unknown, { first }: { first: number }) => page({}, first),
  },
  Runtime: {
    certificates: ({ id }: { id: string }, { first }: { first: number }) =>
      page({ consumerId: id }, first),
  },
};

const server = new ApolloServer({
  schema: buildSubgraphSchema([{ typeDefs: parse(certificatesSDL), resolvers }]),
});
const { url } = await startStandaloneServer(server, { listen: { host: "127.0.0.1", port: 0 } });
process.send?.({ url });
process.once("disconnect", () => process.exit(0));

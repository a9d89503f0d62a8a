/** The reference's gateway: stock Apollo Gateway in Apollo Server, over TLS as the plane's. */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { ApolloServer, HeaderMap } from "@apollo/server";
import { ApolloGateway } from "@apollo/gateway";
import { composeServices } from "@apollo/composition";
import { parse } from "graphql";
import { certificatesSDL, referenceSDL } from "./sdl.ts";

const [, , subgraphURL = "", certFile = "", keyFile = "", certificatesURL] = process.argv;
const composed = composeServices([
  { name: "director", url: subgraphURL, typeDefs: parse(referenceSDL) },
  ...(certificatesURL === undefined
    ? []
    : [{ name: "connector", url: certificatesURL, typeDefs: parse(certificatesSDL) }]),
]);
if (composed.supergraphSdl === undefined) throw new Error("the reference does not compose");
const server = new ApolloServer({
  gateway: new ApolloGateway({ supergraphSdl: composed.supergraphSdl }),
});
await server.start();

const https = createServer(
  { cert: readFileSync(certFile), key: readFileSync(keyFile) },
  (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const headers = new HeaderMap();
      for (const [name, value] of Object.entries(request.headers))
        if (typeof value === "string") headers.set(name, value);
      void server
        .executeHTTPGraphQLRequest({
          httpGraphQLRequest: {
            method: "POST",
            headers,
            search: "",
            body: JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown,
          },
          context: async () => ({}),
        })
        .then((answer) => {
          const body = answer.body.kind === "complete" ? answer.body.string : "";
          response.writeHead(answer.status ?? 200, {
            ...Object.fromEntries(answer.headers),
            "content-length": Buffer.byteLength(body),
          });
          response.end(body);
        });
    });
  },
);
https.listen(0, "127.0.0.1", () => {
  const address = https.address();
  process.send?.({ url: `https://localhost:${typeof address === "object" ? address?.port : 0}` });
});
process.once("disconnect", () => process.exit(0));

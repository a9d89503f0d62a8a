/** PostGraphile 5 on the plane's own database, over TLS as the plane's gateway, without authentication. */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const [, , connectionString = "", certFile = "", keyFile = ""] = process.argv;
// What it has for production: no schema in files, no watching, no plans in answers.
const service = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString, schemas: ["public"], poolConfig: { max: 16 } })],
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false },
  grafast: { explain: false },
  // It hides relations whose columns have no index of just those columns; the one of APIs to bundles has one that serves.
  disablePlugins: ["PgIndexBehaviorsPlugin"],
}).createServ(grafserv);

const https = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
await service.addTo(https);
https.listen(0, "127.0.0.1", () => {
  const address = https.address();
  process.send?.({ url: `https://localhost:${typeof address === "object" ? address?.port : 0}` });
});
process.once("disconnect", () => process.exit(0));

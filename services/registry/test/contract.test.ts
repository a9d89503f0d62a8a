import { createRegistryClient, type RegistryClient } from "@sextant/registry-client";
import { silentLogger } from "@sextant/logging";
import { listenInternally } from "@sextant/service";
import { createTestKeys, createTestRegistry } from "@sextant/testkit";
import { describe } from "vitest";
import { registryRoutes } from "../src/routes.ts";
import { describeAudit } from "./contract/audit.ts";
import { describeCommits } from "./contract/commit.ts";
import { describeDefinitionsAndAssignments } from "./contract/definition.ts";
import { describeFeed } from "./contract/feed.ts";
import { given, type Implementation } from "./contract/given.ts";
import { describeConditionsAndLabels } from "./contract/label.ts";
import { describePages } from "./contract/page.ts";
import { describeReads } from "./contract/read.ts";
import { describeRotation } from "./contract/rotation.ts";
import { describeTenantsAndServices } from "./contract/tenant.ts";
import { describeTrust } from "./contract/trust.ts";
import { describeWork } from "./contract/work.ts";

const inThisProcess = (): Promise<Implementation> => createTestRegistry("director");

const overHTTP = async (): Promise<Implementation> => {
  const inside = await createTestRegistry("director");
  const keys = createTestKeys();
  const routes = registryRoutes(inside.core, keys.verifierOf("registry"), () => undefined);
  const server = await listenInternally({
    address: { host: "127.0.0.1", port: 0 },
    routes,
    tls: undefined,
    log: silentLogger,
  });
  const clients = new Map<string, RegistryClient>();
  return {
    newID: inside.newID,
    seedTenant: inside.seedTenant,
    registryFor: (service) => {
      const known = clients.get(service);
      const client =
        known ??
        createRegistryClient({
          url: `http://127.0.0.1:${server.port}`,
          signer: keys.signerOf(service),
        });
      clients.set(service, client);
      return client;
    },
    close: async () => {
      for (const client of clients.values()) await client.close();
      await server.close(100);
      await inside.close();
    },
  };
};

/** The contract as tests: whatever implements it has to pass them. */
describe.each([
  ["the Registry in its own process", inThisProcess],
  ["the Registry over HTTP", overHTTP],
])("%s", (_name, make) => {
  const objects = given(make);
  describeAudit(objects);
  describeReads(objects);
  describeRotation(objects);
  describePages(objects);
  describeConditionsAndLabels(objects);
  describeDefinitionsAndAssignments(objects);
  describeCommits(objects);
  describeTenantsAndServices(objects);
  describeFeed(objects);
  describeTrust(objects);
  describeWork(objects);
});

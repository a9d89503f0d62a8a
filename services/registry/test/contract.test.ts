import { createRegistryClient, type RegistryClient } from "@sextant/registry-client";
import { silentLogger } from "@sextant/logging";
import { listen, requestListener } from "@sextant/service";
import { createTestKeys, createTestRegistry } from "@sextant/testkit";
import { registryRoutes } from "../src/routes.ts";
import { describeContract } from "./contract.ts";

describeContract("the Registry in this process", () => createTestRegistry("director"));

describeContract("the Registry over HTTP", async () => {
  const inside = await createTestRegistry("director");
  const keys = createTestKeys();
  const routes = registryRoutes(inside.core, keys.verifierOf("registry"), () => undefined);
  const server = await listen({
    address: { host: "127.0.0.1", port: 0 },
    listener: requestListener(routes, silentLogger),
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
});

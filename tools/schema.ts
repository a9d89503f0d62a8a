/** Each subgraph's published SDL and the supergraph that they compose to. */
import { join } from "node:path";
import { composeServices } from "@apollo/composition";
import { loadSubgraph } from "@sextant/graphql";
import { parse } from "graphql";
import type { Generator } from "./generator.ts";

const subgraphs = ["director", "connector", "runtime-provisioner"];

/** Published as files so that a change of the API shows in review. */
export const schemaGenerator: Generator = {
  name: "the published schema",
  owns: ["schema"],
  make: async (root) => {
    const files: Record<string, string> = {};
    const services = subgraphs.map((name) => {
      const { sdl } = loadSubgraph(join(root, "services", name, "src"));
      files[`schema/${name}.graphql`] = `${sdl.trim()}\n`;
      return { name, typeDefs: parse(sdl) };
    });
    const composed = composeServices(services);
    if (composed.errors !== undefined) {
      throw new Error(
        `the subgraphs do not compose:\n${composed.errors.map((error) => error.message).join("\n")}`,
      );
    }
    files["schema/supergraph.graphql"] = `${composed.supergraphSdl.trim()}\n`;
    return files;
  },
};

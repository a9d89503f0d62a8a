/** Types of the operations that the typed client of e2e sends, made of the supergraph as anyone outside would. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { codegen } from "@graphql-codegen/core";
import * as typedDocumentNode from "@graphql-codegen/typed-document-node";
import * as operations from "@graphql-codegen/typescript-operations";
import { parse } from "graphql";
import type { Generator } from "./generator.ts";

const documents = "e2e/client/operations.graphql";
const output = "e2e/client/generated/operations.ts";

const config = {
  enumsAsTypes: true,
  immutableTypes: true,
  onlyOperationTypes: true,
  useTypeImports: true,
  defaultScalarType: "unknown",
  scalars: {
    Timestamp: "string",
    PageCursor: "string",
    CLOB: "string",
    JSON: { input: "unknown", output: "string" },
    JSONSchema: { input: "unknown", output: "string" },
    Labels: "Readonly<Record<string, unknown>>",
    HttpHeaders: "Readonly<Record<string, readonly string[]>>",
  },
};

/** Runs behind the generator of the SDL, which it reads. */
export const typedClientGenerator: Generator = {
  name: "the typed client",
  owns: ["e2e/client/generated"],
  make: async (root) => {
    const schema = parse(readFileSync(join(root, "schema/supergraph.graphql"), "utf8"));
    const document = parse(readFileSync(join(root, documents), "utf8"));
    const text = await codegen({
      filename: output,
      schema,
      documents: [{ location: documents, document }],
      config,
      plugins: [{ operations: {} }, { typedDocumentNode: {} }],
      pluginMap: { operations, typedDocumentNode },
    });
    return {
      [output]: `// Made by \`npm run generate\` of ${documents} and the supergraph.\n${text}`,
    };
  },
};

import { authorizationGenerator } from "./authorization.ts";
import type { Generator } from "./generator.ts";
import { referenceGenerator } from "./reference.ts";
import { schemaGenerator } from "./schema.ts";
import { typedClientGenerator } from "./typed-client.ts";

/** Every generator of the repository: `npm run generate` runs them in this order. */
export const generators: readonly Generator[] = [
  schemaGenerator,
  authorizationGenerator,
  referenceGenerator,
  typedClientGenerator,
];

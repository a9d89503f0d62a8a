import { fileNames } from "./file-names.ts";
import { logEvent } from "./log-event.ts";
import { maxLines } from "./max-lines.ts";
import { namedExports } from "./named-exports.ts";
import { processEnv } from "./process-env.ts";
import { strippedTypes } from "./stripped-types.ts";
import { thinResolvers } from "./thin-resolvers.ts";

/** The rules of this house that no ready-made linter has. Each message says why the rule is there. */
const plugin = {
  meta: { name: "house" },
  rules: {
    "file-names": fileNames,
    "log-event": logEvent,
    "max-lines": maxLines,
    "named-exports": namedExports,
    "process-env": processEnv,
    "stripped-types": strippedTypes,
    "thin-resolvers": thinResolvers,
  },
};

export default plugin;

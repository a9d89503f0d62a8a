import { relative } from "node:path";
import type { Rule } from "./rule.ts";

const NAMES_NOTHING = new Set(["common", "util", "utils", "helper", "helpers", "shared", "misc"]);
const KEBAB_CASE = /^\.?[a-z0-9]+(?:[-.][a-z0-9]+)*$/;

/** File and folder names say what is inside, in one spelling. */
export const fileNames: Rule = {
  create: (context) => ({
    Program(node) {
      for (const part of relative(context.cwd, context.filename).split("/")) {
        const stem = part.split(".").find((piece) => piece !== "") ?? part;
        if (NAMES_NOTHING.has(stem.toLowerCase())) {
          context.report({
            node,
            message: `"${part}" names no subject, so everything ends up in it: name it after what it is about.`,
          });
        } else if (!KEBAB_CASE.test(part)) {
          context.report({
            node,
            message: `"${part}" is not kebab-case: noun, then role (application.service.ts), so that a name can be guessed.`,
          });
        }
      }
    },
  }),
};

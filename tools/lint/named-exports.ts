import type { Rule } from "./rule.ts";

/** One name for one thing, wherever it is used. */
export const namedExports: Rule = {
  create: (context) => ({
    ExportDefaultDeclaration(node) {
      context.report({
        node,
        message:
          "Named exports only: a default export gets another name in each file that imports it, and cannot be searched for.",
      });
    },
  }),
};

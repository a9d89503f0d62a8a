import type { Node, Rule } from "./rule.ts";

const REASON = "types are stripped, not compiled, so that what runs is what was written.";

/** TypeScript syntax that would need a compiler to run. */
export const strippedTypes: Rule = {
  create: (context) => ({
    TSEnumDeclaration(node) {
      context.report({
        node,
        message: `No enum: ${REASON} Use a union of strings or an object "as const".`,
      });
    },
    TSModuleDeclaration(node) {
      if (node["declare"] === true || node["kind"] === "global") return;
      context.report({ node, message: `No namespace: ${REASON} A file is a namespace already.` });
    },
    TSParameterProperty(node: Node) {
      context.report({
        node,
        message: `No parameter property: ${REASON} Declare the field and assign it.`,
      });
    },
  }),
};

import type { Node, Rule } from "./rule.ts";

/** Where a program may read its environment: see the overrides in .oxlintrc.json. */
export const processEnv: Rule = {
  create: (context) => ({
    MemberExpression(node) {
      const object = node["object"] as Node;
      const property = node["property"] as Node;
      const isEnv = property["name"] === "env" || property["value"] === "env";
      if (object["name"] === "process" && isEnv) {
        context.report({
          node,
          message:
            "Only config.ts reads process.env: there every setting is named, checked and reported at once. " +
            "Take the value as an argument instead.",
        });
      }
    },
    ImportDeclaration(node) {
      const source = node["source"] as Node;
      const specifiers = node["specifiers"] as Node[];
      const takesEnv = specifiers.some(
        (one) => (one["imported"] as Node | undefined)?.["name"] === "env",
      );
      if ((source["value"] === "node:process" || source["value"] === "process") && takesEnv) {
        context.report({ node, message: "Only config.ts reads process.env, under whatever name." });
      }
    },
  }),
};

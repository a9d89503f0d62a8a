import type { Node, Rule } from "./rule.ts";

/** Resolvers only lead from a field to a use case. */
export const thinResolvers: Rule = {
  create(context): Record<string, (node: Node) => void> {
    if (!context.filename.endsWith(".resolvers.ts")) return {};
    const refuse = (node: Node): void =>
      context.report({
        node,
        message:
          "A resolver has no `if` and no `try`: decisions belong to the noun's service, where every caller gets them, " +
          "and errors to the one table per transport.",
      });
    return { IfStatement: refuse, TryStatement: refuse, SwitchStatement: refuse };
  },
};

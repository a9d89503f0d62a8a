import type { Rule } from "./rule.ts";

const SAYS_WHY = /^\s*(?:\/\/|\*|\/\*).*\blong because\b/m;

/** A file that has grown too long is split, or says in a comment near its top that it is "long because …". */
export const maxLines: Rule = {
  meta: { schema: [{ type: "object" }] },
  create: (context) => ({
    Program(node) {
      const { max } = context.options[0] as { max: number };
      const { lines } = context.sourceCode;
      if (lines.length <= max || SAYS_WHY.test(lines.slice(0, 20).join("\n"))) return;
      context.report({
        node,
        message:
          `This file has ${lines.length} lines, and more than ${max} are no longer read as a whole: split it by subject, ` +
          `or say near its top that it is "long because …".`,
      });
    },
  }),
};

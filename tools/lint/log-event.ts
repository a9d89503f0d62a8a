import type { Node, Rule } from "./rule.ts";

const LEVELS = new Set(["trace", "debug", "info", "warn", "error", "fatal"]);
const LOGGER = /^(?:log|logger)$/;
const EVENT = /^[a-z][^A-Z]*$/;

function loggerName(node: Node): string {
  if (node.type === "Identifier") return String(node["name"]);
  if (node.type === "MemberExpression") return loggerName(node["property"] as Node);
  return "";
}

/** A log line is an event with fields, not a sentence with values in it. */
export const logEvent: Rule = {
  create: (context) => ({
    CallExpression(node) {
      const callee = node["callee"] as Node;
      if (callee.type !== "MemberExpression") return;
      if (!LEVELS.has(String((callee["property"] as Node)["name"]))) return;
      if (!LOGGER.test(loggerName(callee["object"] as Node))) return;
      const message = (node["arguments"] as Node[]).at(-1);
      const isTemplate =
        message?.type === "TemplateLiteral" && (message["expressions"] as Node[]).length > 0;
      const isText = message?.type === "Literal" && typeof message["value"] === "string";
      if (isTemplate || (isText && !EVENT.test(String(message["value"])))) {
        context.report({
          node: message,
          message:
            'A log event is lower-case words, its values are fields: log.info({ port }, "listening"). ' +
            "Only so can it be searched, counted and kept free of secrets.",
        });
      }
    },
  }),
};

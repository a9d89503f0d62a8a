/** Which reads are short: they may share a connection with others, where they must not hold up those behind them. */
import type { Condition, Expression, ReadPlan, Requirement } from "@sextant/registry-client";

/** Conditions that look at the object itself, or at one label of it. */
const PLAIN: ReadonlySet<Condition["op"]> = new Set([
  "equals",
  "in",
  "isNull",
  "past",
  "within",
  "hasLabel",
]);

function isPlain(condition: Condition): boolean {
  if (condition.op === "all" || condition.op === "any") return condition.of.every(isPlain);
  return condition.op === "not" ? isPlain(condition.condition) : PLAIN.has(condition.op);
}

const isByID = (condition: Condition): boolean =>
  (condition.op === "equals" && condition.field === "id") ||
  (condition.op === "all" && condition.of.some(isByID));

const isOne = ({ where }: Pick<Requirement, "where">): boolean => isByID(where) && isPlain(where);

function isOwn(expression: Expression): boolean {
  if ("object" in expression) return expression.object.every(isOwn);
  if ("coalesce" in expression) return expression.coalesce.every(isOwn);
  if ("choose" in expression) return expression.choose.every(({ when }) => isPlain(when));
  return !("lookup" in expression || "read" in expression);
}

/** Whether a plan reads single objects by their ids, and of each only what it has itself. */
export function isShort({ select, require = [] }: ReadPlan): boolean {
  const isShortEntry = (entry: ReadPlan["select"][number]): boolean => {
    if ("constant" in entry) return true;
    const { read } = entry;
    return "one" in read && isOne(read) && read.select.every(isOwn);
  };
  return select.every(isShortEntry) && require.every(isOne);
}

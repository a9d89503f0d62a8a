import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ASTNode, parse, visit } from "graphql";
import { expect, it } from "vitest";

const schema = join(import.meta.dirname, "../../schema");
const services = ["director", "connector", "runtime-provisioner"];

/** What federation adds by itself. */
const ofFederation = /^(?:_|link|federation__|Query$|Mutation$)/;

/** Everything of a published SDL that a client sees and that is not described. */
function undescribed(service: string): readonly string[] {
  const document = parse(readFileSync(join(schema, `${service}.graphql`), "utf8"));
  const found: string[] = [];
  const path: string[] = [];
  const enter = (node: ASTNode): void => {
    if (!("name" in node) || node.name === undefined || !("value" in node.name)) return;
    const isDefinition = node.kind.endsWith("Definition") && node.kind !== "DirectiveDefinition";
    if (!isDefinition) return;
    path.push(node.name.value);
    const isFederations = path.some((name, index) => index === 0 && name.startsWith("_"));
    const described = "description" in node && node.description !== undefined;
    if (!described && !isFederations && !ofFederation.test(node.name.value))
      found.push(path.join("."));
  };
  const leave = (node: ASTNode): void => {
    const isDefinition = node.kind.endsWith("Definition") && node.kind !== "DirectiveDefinition";
    if (isDefinition && "name" in node && node.name !== undefined) path.pop();
  };
  visit(document, { enter, leave });
  return found;
}

it.each(services)("everything that %s publishes is described", (service) => {
  expect(undescribed(service)).toEqual([]);
});

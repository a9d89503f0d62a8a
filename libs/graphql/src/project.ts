import {
  type FieldNode,
  type GraphQLOutputType,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from "graphql";
import { collectSubfields, type Walk } from "./collect.ts";

/**
 * The part of a plain value that an operation selects. Objects have the schema's field names; an object of an interface or
 * union names its type in `__typename`.
 */
export function project(
  walk: Walk,
  type: GraphQLOutputType,
  nodes: readonly FieldNode[],
  value: unknown,
): unknown {
  if (isNonNullType(type)) {
    const projected = project(walk, type.ofType, nodes, value);
    if (projected === null)
      throw new Error(`${nodes[0]?.name.value} has no value and must have one`);
    return projected;
  }
  if (value === null || value === undefined) return null;
  if (isListType(type))
    return (value as readonly unknown[]).map((item) => project(walk, type.ofType, nodes, item));
  if (isLeafType(type)) return type.serialize(value);
  const record = value as Readonly<Record<string, unknown>>;
  const objectType = isAbstractType(type)
    ? walk.schema.getType(String(record["__typename"]))
    : type;
  if (!isObjectType(objectType)) throw new Error(`a value of ${type.name} does not name its type`);
  // Without a prototype: a client may call a field `__proto__`.
  const answer = Object.create(null) as Record<string, unknown>;
  for (const [key, fieldNodes] of collectSubfields(walk, objectType, nodes)) {
    const name = fieldNodes[0]?.name.value as string;
    if (name === "__typename") {
      answer[key] = objectType.name;
      continue;
    }
    const field = objectType.getFields()[name];
    if (field !== undefined) answer[key] = project(walk, field.type, fieldNodes, record[name]);
  }
  return answer;
}

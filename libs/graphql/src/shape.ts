import { type FieldNode, type GraphQLSchema, TypeInfo, visit, visitWithTypeInfo } from "graphql";
import { argumentsReader } from "./coerce.ts";
import type { Args, Declarations, FieldRead } from "./declaration.ts";
import type { Operation } from "./document.ts";
import { representedTypes } from "./query-plan.ts";

/** A field whose arguments change the plan, with what of them does. */
export type ShapedField = {
  readonly args: ReturnType<typeof argumentsReader>;
  readonly shape: (args: Args) => string;
};

/** The fields of an operation's document whose arguments change its plan. */
export function shapedFields(
  schema: GraphQLSchema,
  declarations: Declarations,
  operation: Operation,
): readonly ShapedField[] {
  const found: ShapedField[] = [];
  const queryType = schema.getQueryType()?.name;
  const types = new TypeInfo(schema);
  const declaredAt = (parent: string | undefined, name: string): FieldRead | undefined =>
    parent === queryType
      ? declarations.queries[name]
      : declarations.types[parent ?? ""]?.fields[name];
  const enter = (node: FieldNode): void => {
    const field = types.getFieldDef();
    if (field === null || field === undefined) return;
    const parent = types.getParentType()?.name;
    const declared = declaredAt(parent, node.name.value);
    const shape =
      parent === queryType && node.name.value === "_entities"
        ? (args: Args) => representedTypes(args).join()
        : declared !== undefined && "args" in declared
          ? declared.args?.shape
          : undefined;
    if (shape !== undefined) found.push({ args: argumentsReader(field, node), shape });
  };
  visit(operation.document, visitWithTypeInfo(types, { Field: { enter } }));
  return found;
}

/** The answer to a joined operation: in its order, with its names, and null wherever a value that must be there is missing. */
import type { SextantError } from "@sextant/errors";
import {
  collectFields,
  type FieldError,
  fieldError,
  firstNode,
  isSchemaField,
  type Operation,
  type Outcome,
  type Walk,
} from "@sextant/graphql";
import {
  type FieldNode,
  getNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from "graphql";
import { type Answered, type Joined, valueOf } from "./join.ts";
import type { JoinPlan } from "./join-plan.ts";

/** A field of the answer. */
type ShapedField = {
  readonly key: string;
  /** The key under which the services answer. */
  readonly from: string;
  readonly node: FieldNode;
  readonly parent: string;
  /** Undefined: `__typename`. */
  readonly type: GraphQLOutputType | undefined;
  readonly below: Shape | undefined;
};

/** What is asked of an object, by its type. */
type Shape = (type: string) => readonly ShapedField[];

/** Where a value is, from the innermost key outwards. */
type Place = { readonly key: string | number; readonly outer: Place | undefined };

function pathOf(place: Place): readonly (string | number)[] {
  const path: (string | number)[] = [];
  for (let one: Place | undefined = place; one !== undefined; one = one.outer)
    path.unshift(one.key);
  return path;
}

/** Stands for a null that has to be carried on to what is around it. */
const missing = Symbol("missing");

/** The schema's own fields are answered where they stand. */
const isDescription = (field: ShapedField): boolean => isSchemaField(field.node.name.value);

/** Shapes answers of one operation, for one choice of what `@skip` and `@include` leave of it. */
export type Shaper = {
  /** Keys of the services' answers that must have a value at the root. */
  readonly required: ReadonlySet<string>;
  shape(joined: Joined, fault: (message: string) => SextantError): Outcome;
};

/** Makes the shaper. */
export function createShaper(
  schema: GraphQLSchema,
  operation: Operation,
  plan: Pick<JoinPlan, "keyOf">,
  variables: Walk["variables"],
): Shaper {
  const walk: Walk = { schema, fragments: operation.fragments, variables };

  const shapeOf = (sets: Parameters<typeof collectFields>[2]): Shape => {
    const known = new Map<string, readonly ShapedField[]>();
    const fieldsOf = (name: string): readonly ShapedField[] => {
      const parent = schema.getType(name);
      if (!isObjectType(parent)) throw new Error(`${name} is not a type of objects`);
      return [...collectFields(walk, parent, sets)].map(([key, nodes]) => {
        const node = firstNode(nodes);
        const type = parent.getFields()[node.name.value]?.type;
        const isLeaf = type === undefined || isLeafType(getNamedType(type));
        const below = isLeaf ? undefined : shapeOf(nodes.map((one) => one.selectionSet));
        return { key, from: plan.keyOf(node), node, parent: name, type, below };
      });
    };
    return (type) => {
      let fields = known.get(type);
      if (fields === undefined) known.set(type, (fields = fieldsOf(type)));
      return fields;
    };
  };

  const root = schema.getRootType(operation.node.operation) as GraphQLObjectType;
  const whole = shapeOf([operation.node.selectionSet]);
  const required = new Set(
    whole(root.name)
      .filter(({ type }) => isNonNullType(type))
      .map(({ from }) => from),
  );

  return {
    required,
    shape({ data, problems }, fault) {
      const errors: FieldError[] = [];
      // A service has no data at all when a field fails that it must have: its other fields have not failed.
      const isNothing = [...(problems.get(data)?.keys() ?? [])].some((key) => required.has(key));

      const tell = (field: ShapedField, place: Place, error: SextantError): void => {
        errors.push(fieldError(error, pathOf(place), field.node));
      };

      /** A value; `why` is what is known of why there is none. */
      const complete = (
        type: GraphQLOutputType,
        field: ShapedField,
        value: unknown,
        place: Place,
        why: SextantError | undefined,
      ): unknown => {
        if (isNonNullType(type)) {
          const completed = complete(type.ofType, field, value, place, why);
          if (completed !== null) return completed;
          const isAbsent = why === undefined && (value === null || value === undefined);
          if (isAbsent && !(isNothing && place.outer === undefined)) {
            const what = `${field.parent}.${field.node.name.value}`;
            tell(field, place, fault(`${what} has no value and must have one`));
          }
          return missing;
        }
        if (value === null || value === undefined) {
          if (why !== undefined) tell(field, place, why);
          return null;
        }
        if (field.below === undefined) return value;
        if (isListType(type)) {
          const items: unknown[] = [];
          const list = value as readonly unknown[];
          const told = problems.get(list);
          for (const [index, item] of list.entries()) {
            const inner = { key: index, outer: place };
            const completed = complete(type.ofType, field, item, inner, told?.get(String(index)));
            if (completed === missing) return null;
            items.push(completed);
          }
          return items;
        }
        const object = value as Answered;
        const name = isAbstractType(type)
          ? String(valueOf(object, "__typename"))
          : getNamedType(type).name;
        return fieldsIn(object, field.below(name), name, place, false);
      };

      /** An object; null when a value in it is missing that must be there. `all`: what is behind that is looked at as well. */
      const fieldsIn = (
        object: Answered,
        fields: readonly ShapedField[],
        type: string,
        outer: Place | undefined,
        all: boolean,
      ): Record<string, unknown> | null => {
        const told = problems.get(object);
        // Without a prototype: a client may call a field `__proto__`.
        const answer = Object.create(null) as Record<string, unknown>;
        let isNull = false;
        for (const field of fields) {
          if (field.type === undefined) {
            answer[field.key] = isDescription(field) ? valueOf(object, field.from) : type;
            continue;
          }
          const value = valueOf(object, field.from);
          const place = { key: field.key, outer };
          const completed = complete(field.type, field, value, place, told?.get(field.from));
          if (completed === missing) {
            if (!all) return null;
            isNull = true;
          } else answer[field.key] = completed;
        }
        return isNull ? null : answer;
      };

      const shaped = fieldsIn(data, whole(root.name), root.name, undefined, true);
      return { data: shaped, errors };
    },
  };
}

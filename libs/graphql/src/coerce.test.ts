import fc from "fast-check";
import {
  buildSchema,
  type FieldNode,
  getArgumentValues,
  getVariableValues,
  type GraphQLField,
  type OperationDefinitionNode,
  parse,
} from "graphql";
import { describe, expect, it } from "vitest";
import { argumentsReader, coerceVariables } from "./coerce.ts";

const types = ["ID", "ID!", "String", "String!", "Int", "Int!", "[ID!]", "Boolean", "In"] as const;
const schema = buildSchema(`
  input In { text: String!, size: Int = 3 }
  type Query {
    ${types.map((type, index) => `f${index}(a: ${type}, b: ID, c: Int = 7): Int`).join("\n")}
  }
`);
const ABSENT = Symbol("absent");
/** What may be sent for a variable, most of it wrong for most types. */
const sent = fc.oneof(
  fc.constantFrom(ABSENT, null, "", "x", "ä€", "constructor", 1, 1.5, true),
  fc.constantFrom([], ["x"], ["x", null], {}, { text: "y" }, { text: "y", size: null }),
);
const operation = (text: string) => parse(text).definitions[0] as OperationDefinitionNode;
const valuesOf = (given: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ABSENT));

describe("variables", () => {
  it("are what graphql-js makes of them, whatever their type is and whatever is sent", () => {
    const names = fc.constantFrom("a", "__proto__", "constructor");
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.boolean(),
        names,
        sent,
        (type, hasDefault, name, value) => {
          const byDefault = hasDefault && type === "String" ? ' = "d"' : "";
          const node = operation(`query($${name}: ${type}${byDefault}) { f0(b: $${name}) }`);
          const given = JSON.parse("{}") as Record<string, unknown>;
          if (value !== ABSENT)
            Object.defineProperty(given, name, { value, enumerable: true, writable: true });
          // Twice: what is worked out with the first is used by the second.
          for (let time = 0; time < 2; time++) {
            const ours = coerceVariables(schema, node, given);
            const theirs = getVariableValues(schema, node.variableDefinitions ?? [], given);
            expect(ours.ok).toBe(theirs.errors === undefined);
            // Theirs loses this name to the prototype.
            if (!ours.ok || name === "__proto__") continue;
            expect({ ...ours.values }).toEqual(theirs.coerced);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("the arguments of a field", () => {
  it("are what graphql-js makes of them, or refused as it does, whether they are variables, written down or left out", () => {
    const written = fc.constantFrom(
      "",
      "a: $x",
      "a: null",
      'a: "t"',
      "a: 5",
      "b: $y",
      'b: "t"',
      "c: $z",
      "c: 9",
    );
    fc.assert(
      fc.property(
        fc.nat(types.length - 1),
        fc.uniqueArray(written, { selector: (text) => text.slice(0, 1), maxLength: 3 }),
        fc.array(fc.record({ x: sent, y: sent, z: sent }), { minLength: 1, maxLength: 3 }),
        (index, args, requests) => {
          const given = args.filter((text) => text !== "");
          const list = given.length === 0 ? "" : `(${given.join(", ")})`;
          const node = operation(`{ f${index}${list} }`).selectionSet.selections[0] as FieldNode;
          const field = schema.getQueryType()?.getFields()[`f${index}`] as GraphQLField<
            unknown,
            unknown
          >;
          const read = argumentsReader(field, node);
          for (const request of requests) {
            const values = valuesOf(request);
            let theirs: unknown;
            try {
              theirs = getArgumentValues(field, node, values);
            } catch {
              expect(() => read(values)).toThrow(
                expect.objectContaining({ code: "INVALID_DATA" }) as Error,
              );
              continue;
            }
            expect(read(values)).toEqual(theirs);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

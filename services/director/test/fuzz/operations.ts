/** Operations of our own schema: all its fields and arguments, in all the forms that GraphQL has, right and wrong. */
import {
  getNamedType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
} from "graphql";
import type { Dice } from "./dice.ts";
import { depthOf, type Known, literal, plain, valueOf } from "./values.ts";

/** What is sent. */
export type Sent = {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
};

/** Nested selections cost time and tell little more. */
const MAX_DEPTH = 6;
const MAX_FIELDS = 60;

class Writer {
  readonly #schema: GraphQLSchema;
  readonly #dice: Dice;
  readonly #known: Known;
  readonly #declared: string[] = [];
  readonly #fragments: string[] = [];
  readonly variables: Record<string, unknown> = {};
  #fields = 0;
  #names = 0;

  constructor(schema: GraphQLSchema, dice: Dice, known: Known) {
    this.#schema = schema;
    this.#dice = dice;
    this.#known = known;
  }

  operation(kind: "query" | "mutation"): string {
    const root = (
      kind === "query" ? this.#schema.getQueryType() : this.#schema.getMutationType()
    ) as GraphQLObjectType;
    const dice = this.#dice;
    const fields = Object.values(root.getFields());
    const selections = Array.from({ length: 1 + (dice.wild ? dice.upTo(2) : 0) }, () =>
      this.#field(dice.pick(fields), 0, true),
    );
    if (dice.chance(10)) selections.push("__typename");
    if (dice.chance(2)) selections.push("__schema { queryType { name } }");
    const body = `{ ${selections.join(" ")} }`;
    const declared = this.#declared.length === 0 ? "" : `(${this.#declared.join(", ")})`;
    const name = dice.chance(30) ? " Named" : "";
    const start =
      kind === "query" && declared === "" && name === "" ? "" : `${kind}${name}${declared} `;
    return [start + body, ...this.#fragments].join("\n");
  }

  #name(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number, aliased: boolean): string {
    this.#fields += 1;
    const dice = this.#dice;
    const alias = aliased || dice.chance(15) || field.args.length > 0 ? `${this.#name("f")}: ` : "";
    const args = field.args.flatMap((argument) => this.#argument(field, argument));
    if (dice.odd(1)) args.push("unknown: 1");
    const given = args.length > 0 ? `(${args.join(", ")})` : dice.chance(3) ? "()" : "";
    const type = getNamedType(field.type);
    const below = isCompositeType(type) ? ` ${this.#selection(type.name, depth + 1)}` : "";
    return `${alias}${field.name}${given}${this.#directive()}${below}`;
  }

  #argument(field: GraphQLField<unknown, unknown>, argument: GraphQLArgument): readonly string[] {
    const dice = this.#dice;
    const isExpected = argument.name === "expectedRevision";
    if (isRequiredArgument(argument) ? dice.odd(1) : !dice.chance(isExpected ? 5 : 35)) return [];
    // `id` alone says nothing of what is meant: the field does.
    const about = ["id", "authID"].includes(argument.name) ? meaning(field) : argument.name;
    const value = valueOf(argument.type, about, dice, this.#known);
    if (dice.chance(50) && depthOf(value) < 50) return [`${argument.name}: ${literal(value)}`];
    const name = this.#name("v");
    const type = String(argument.type);
    const declared = !dice.wild
      ? type
      : dice.weighted([
          [20, type],
          [2, `${type.replace(/!$/, "")}`],
          [1, `${type.replace(/!$/, "")}!`],
          [1, "String"],
        ]);
    this.#declared.push(`$${name}: ${declared}`);
    if (!dice.odd(3)) this.variables[name] = plain(value);
    return [`${argument.name}: $${name}`];
  }

  #directive(): string {
    const dice = this.#dice;
    if (!dice.chance(5)) return "";
    const name = dice.pick(["skip", "include"]);
    if (dice.chance(50)) return ` @${name}(if: ${dice.pick(["true", "false"])})`;
    const variable = this.#name("c");
    this.#declared.push(`$${variable}: Boolean!`);
    this.variables[variable] = dice.chance(50);
    return ` @${name}(if: $${variable})`;
  }

  #selection(typeName: string, depth: number): string {
    const dice = this.#dice;
    const type = this.#schema.getType(typeName);
    const parts: string[] = [];
    if (isAbstractType(type)) {
      // An answer's type has to be known to check it.
      parts.push("__typename");
      for (const one of this.#schema.getPossibleTypes(type))
        if (dice.chance(70)) parts.push(`... on ${one.name} ${this.#selection(one.name, depth)}`);
    }
    if (isObjectType(type) || isInterfaceType(type)) {
      const fields = Object.values(type.getFields());
      const wanted = fields.filter(() => dice.chance(depth > 3 ? 25 : 40));
      for (const field of wanted) {
        const nested = isCompositeType(getNamedType(field.type));
        if (nested && (depth >= MAX_DEPTH || this.#fields > MAX_FIELDS)) continue;
        const text = this.#field(field, depth, false);
        parts.push(dice.chance(8) ? this.#wrapped(typeName, text) : text);
      }
      if (dice.chance(8)) parts.push("__typename");
    }
    if (parts.length === 0) parts.push("__typename");
    return `{ ${parts.join(" ")} }`;
  }

  #wrapped(typeName: string, text: string): string {
    const dice = this.#dice;
    if (dice.chance(50)) return `...${this.#directive()} { ${text} }`;
    if (dice.chance(50)) return `... on ${typeName}${this.#directive()} { ${text} }`;
    const name = this.#name("Fragment");
    this.#fragments.push(`fragment ${name} on ${typeName} { ${text} }`);
    return `...${name}`;
  }
}

/** The noun that an id of a field is of, by the field's name or type. */
function meaning(field: GraphQLField<unknown, unknown>): string {
  if (field.name.includes("InstanceAuth")) return "auth";
  const client = /SystemAuthFor(\w+)$/.exec(field.name)?.[1];
  if (client !== undefined)
    return client === "IntegrationSystem" ? "systemClient" : `${client}Client`;
  const type = getNamedType(field.type).name;
  const of: Readonly<Record<string, string>> = {
    APIDefinition: "api",
    EventDefinition: "event",
    BundleInstanceAuth: "auth",
    IntegrationSystem: "system",
    ApplicationTemplate: "template",
    APIToken: "token",
    OneTimeTokenForRuntime: "runtime",
    OneTimeTokenForApplication: "application",
    SystemAuth: field.name
      .replace("requestClientCredentialsFor", "")
      .replace("IntegrationSystem", "system"),
  };
  return of[type] ?? type;
}

/** A document that is no longer one, or another one. */
function damaged(query: string, dice: Dice): string {
  const at = dice.upTo(query.length);
  return dice.weighted<() => string>([
    [3, () => query.slice(0, at) + query.slice(at + 1)],
    [
      3,
      () =>
        query.slice(0, at) +
        dice.pick([
          "{",
          "}",
          "(",
          ")",
          '"',
          "$",
          "!",
          "\u0000",
          "…",
          "#",
          "@",
          ":",
          '"""',
          "...",
          " on ",
        ]) +
        query.slice(at),
    ],
    [1, () => query.slice(0, at)],
    [1, () => query + query],
    [1, () => `${query} query Other { viewer { id } }`],
    [1, () => `${"{ a ".repeat(40)}${query}${"}".repeat(40)}`],
    [1, () => query.replace(/\b(id|name|data)\b/, "naem")],
    [1, () => `subscription { x }`],
    [1, () => ""],
  ])();
}

/** An operation with its variables. */
export function makeOperation(schema: GraphQLSchema, dice: Dice, known: Known): Sent {
  const writer = new Writer(schema, dice, known);
  const query = writer.operation(dice.chance(55) ? "query" : "mutation");
  return {
    query: dice.odd(15) ? damaged(query, dice) : query,
    variables: writer.variables,
  };
}

/**
 * A read plan says, as data, what to read: the Registry makes one SQL statement of it, whose JSON text is the answer. A plan
 * names no value: every value is a parameter, so that one plan, and one prepared statement, serves every request of its shape.
 */
import { z } from "zod";
import { type Kind, kinds } from "./kinds.ts";

const kind = z.enum(Object.keys(kinds) as [Kind, ...Kind[]]);
const name = z.string().min(1);

/** A parameter of the request by its name, or a field of the object around (`up: 1` the one around that, and so on). */
export const valueSchema = z.union([
  z.strictObject({ param: name }),
  z.strictObject({ parent: name, up: z.int().min(0).max(8).optional() }),
]);
export type Value = z.infer<typeof valueSchema>;

/** Which objects. Every operator is about the object of `kind` that is asked for. */
export type Condition =
  | { readonly op: "equals"; readonly field: string; readonly value: Value }
  /** The field is one of the values of an array parameter. */
  | { readonly op: "in"; readonly field: string; readonly values: Value }
  /** The audit entry names an object with this id. */
  | { readonly op: "names"; readonly object: Value }
  /** The tenant is granted to an integration system of the tenant that is read in. */
  | { readonly op: "grantedTo"; readonly integrationSystem: Value }
  /** The id or timestamp is less than the value. */
  | { readonly op: "before"; readonly field: string; readonly value: Value }
  | { readonly op: "isNull"; readonly field: string }
  /** The timestamp is before now. */
  | { readonly op: "past"; readonly field: string }
  /** The timestamp is later than this one. */
  | { readonly op: "later"; readonly field: string; readonly than: Value }
  /** The timestamp is less than so many seconds ago. */
  | { readonly op: "within"; readonly field: string; readonly seconds: Value }
  | { readonly op: "all"; readonly of: readonly Condition[] }
  | { readonly op: "any"; readonly of: readonly Condition[] }
  | { readonly op: "not"; readonly condition: Condition }
  /** There is an object of another kind; inside, `parent` is the object asked for. */
  | { readonly op: "exists"; readonly kind: Kind; readonly where: Condition }
  /** It has the label. */
  | { readonly op: "hasLabel"; readonly key: Value }
  /** The label's value, or an element of it when it is an array, is one of these JSON texts (an array parameter). */
  | { readonly op: "labelIn"; readonly key: Value; readonly elements: Value }
  /** The label's value contains this JSON (PostgreSQL's `@>`). */
  | { readonly op: "labelContains"; readonly key: Value; readonly json: Value }
  /** It has an element of this label in common with another object. */
  | {
      readonly op: "sharesLabel";
      readonly key: Value;
      readonly kind: "application" | "runtime";
      readonly id: Value;
    };

export const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.discriminatedUnion("op", [
    z.strictObject({ op: z.literal("equals"), field: name, value: valueSchema }),
    z.strictObject({ op: z.literal("in"), field: name, values: valueSchema }),
    z.strictObject({ op: z.literal("names"), object: valueSchema }),
    z.strictObject({ op: z.literal("grantedTo"), integrationSystem: valueSchema }),
    z.strictObject({ op: z.literal("before"), field: name, value: valueSchema }),
    z.strictObject({ op: z.literal("isNull"), field: name }),
    z.strictObject({ op: z.literal("past"), field: name }),
    z.strictObject({ op: z.literal("later"), field: name, than: valueSchema }),
    z.strictObject({ op: z.literal("within"), field: name, seconds: valueSchema }),
    z.strictObject({ op: z.literal("all"), of: z.array(conditionSchema) }),
    z.strictObject({ op: z.literal("any"), of: z.array(conditionSchema) }),
    z.strictObject({ op: z.literal("not"), condition: conditionSchema }),
    z.strictObject({ op: z.literal("exists"), kind, where: conditionSchema }),
    z.strictObject({ op: z.literal("hasLabel"), key: valueSchema }),
    z.strictObject({ op: z.literal("labelIn"), key: valueSchema, elements: valueSchema }),
    z.strictObject({ op: z.literal("labelContains"), key: valueSchema, json: valueSchema }),
    z.strictObject({
      op: z.literal("sharesLabel"),
      key: valueSchema,
      kind: z.enum(["application", "runtime"]),
      id: valueSchema,
    }),
  ]),
);

/** A value without a key: what stands behind one key of the answer. */
export type Expression =
  /** A field of the object. A `secret` comes as the sealed text. */
  | { readonly field: string }
  /** A field of type `json` as a string that holds its text. */
  | { readonly jsonText: string }
  /** A constant, such as a `__typename`: JSON text. */
  | { readonly constant: string }
  /** The labels as one JSON object; with a `key` that is not null only that one, and null when it is absent. */
  | { readonly labels: { readonly key: Value } }
  /** Fields of the same object under a key of their own; null when the field `unlessNull` is. */
  | { readonly object: Selection; readonly unlessNull?: string }
  /** The first of these whose condition holds, else the other: JSON texts. */
  | {
      readonly choose: readonly { readonly when: Condition; readonly then: string }[];
      readonly otherwise: string;
    }
  /** The first that is not null. */
  | { readonly coalesce: readonly Expression[] }
  /** One field of the one object that meets the condition; null without one. Inside, `parent` is the object around. */
  | { readonly lookup: { readonly kind: Kind; readonly where: Condition; readonly field: string } }
  /** Other objects. Inside, `parent` is the object around. */
  | { readonly read: Read };

/** The keys of a JSON object in their order. */
export type Selection = readonly ({ readonly as: string } & Expression)[];

/** What of a page is asked. */
export type PageSelection = readonly ({ readonly as: string } & (
  | { readonly part: "data"; readonly select: Selection }
  | {
      readonly part: "pageInfo";
      readonly select: readonly ({ readonly as: string } & (
        | { readonly part: "startCursor" | "endCursor" | "hasNextPage" }
        | { readonly constant: string }
      ))[];
    }
  | { readonly part: "totalCount" }
  | { readonly constant: string }
))[];

/**
 * - `one`: the object that meets the condition, or null.
 * - `list`: all of them by id, at most `max`.
 * - `page`: so many after the cursor, in order of id (ids are UUIDv7: the order of creation). `first` is an integer
 *   parameter; `after` an id or null, taken from a cursor with {@link readCursor}.
 * - `entities`: one for each id of an array parameter, in its order; null where there is none. Without a kind, the object is
 *   the id alone: an entity that another service owns.
 * - `labelValues`: the different values that labels of this key have in the tenant (see {@link LabelValues}), at most `max` of
 *   16 MiB together.
 */
export type Read =
  | { readonly one: Kind; readonly where: Condition; readonly select: Selection }
  | {
      readonly list: Kind;
      readonly where: Condition;
      readonly select: Selection;
      readonly max: number;
    }
  | {
      readonly page: Kind;
      readonly where: Condition;
      readonly select: PageSelection;
      readonly first: Value;
      readonly after: Value;
    }
  | {
      readonly entities: Kind | null;
      readonly ids: Value;
      readonly where?: Condition;
      readonly select: Selection;
    }
  | {
      readonly labelValues: Value;
      readonly max: number;
    };

/** Different values of a label that are looked at at most. */
export const MOST_LABEL_VALUES = 10_000;

/** What a read of `labelValues` answers. `digest` is the SHA-256 of the stored text, `id` that of one object with the value. */
export type LabelValues = {
  readonly values: readonly {
    readonly kind: "application" | "runtime" | "runtimeContext";
    readonly id: string;
    readonly digest: string;
    readonly value: unknown;
  }[];
  readonly complete: boolean;
};

const as = z.string().min(1).max(500);
const expressionSchemas: readonly z.ZodObject[] = [
  z.strictObject({ field: name }),
  z.strictObject({ jsonText: name }),
  z.strictObject({ constant: z.string() }),
  z.strictObject({ labels: z.strictObject({ key: valueSchema }) }),
  z.strictObject({ object: z.lazy(() => selectionSchema), unlessNull: name.optional() }),
  z.strictObject({
    choose: z.array(z.strictObject({ when: conditionSchema, then: z.string() })),
    otherwise: z.string(),
  }),
  z.strictObject({ coalesce: z.array(z.lazy(() => expressionSchema)).min(1) }),
  z.strictObject({ lookup: z.strictObject({ kind, where: conditionSchema, field: name }) }),
  z.strictObject({ read: z.lazy(() => readSchema) }),
];
const expressionSchema = z.lazy(() =>
  z.union(expressionSchemas),
) as unknown as z.ZodType<Expression>;
const selectionSchema = z.lazy(() =>
  z.array(z.union(expressionSchemas.map((schema) => schema.extend({ as })))),
) as unknown as z.ZodType<Selection>;
const pageSelectionSchema: z.ZodType<PageSelection> = z.lazy(() =>
  z
    .array(
      z.union([
        z.strictObject({ as, part: z.literal("data"), select: selectionSchema }),
        z.strictObject({
          as,
          part: z.literal("pageInfo"),
          select: z.array(
            z.union([
              z.strictObject({ as, part: z.enum(["startCursor", "endCursor", "hasNextPage"]) }),
              z.strictObject({ as, constant: z.string() }),
            ]),
          ),
        }),
        z.strictObject({ as, part: z.literal("totalCount") }),
        z.strictObject({ as, constant: z.string() }),
      ]),
    )
    .min(1),
);

export const readSchema: z.ZodType<Read> = z.lazy(() =>
  z.union([
    z.strictObject({ one: kind, where: conditionSchema, select: selectionSchema }),
    z.strictObject({
      list: kind,
      where: conditionSchema,
      select: selectionSchema,
      max: z.int().min(1).max(10_000),
    }),
    z.strictObject({
      page: kind,
      where: conditionSchema,
      select: pageSelectionSchema,
      first: valueSchema,
      after: valueSchema,
    }),
    z.strictObject({
      entities: kind.nullable(),
      ids: valueSchema,
      where: conditionSchema.optional(),
      select: selectionSchema,
    }),
    z.strictObject({
      labelValues: valueSchema,
      max: z.int().min(1).max(MOST_LABEL_VALUES),
    }),
  ]),
);

/** Something that has to exist for the answer to be given: the answer says which of these do not. */
export type Requirement = { readonly kind: Kind; readonly where: Condition };

/** A batch of reads: the answer is one JSON object with these keys in this order. */
export const readPlanSchema = z.strictObject({
  select: z
    .array(
      z.union([
        z.strictObject({ as, read: readSchema }),
        z.strictObject({ as, constant: z.string() }),
      ]),
    )
    .min(1),
  require: z.array(z.strictObject({ kind, where: conditionSchema })).optional(),
});

/** See {@link readPlanSchema}. */
export type ReadPlan = {
  readonly select: readonly ({ readonly as: string } & (
    | { readonly read: Read }
    | { readonly constant: string }
  ))[];
  readonly require?: readonly Requirement[];
};

/** Values of a plan's parameters. */
export type Params = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** The cursor behind an object: opaque to callers. The Registry's SQL makes the same. */
export function cursorOf(id: string): string {
  return Buffer.from(`after:${id}`).toString("base64");
}

/** The id in a cursor, or undefined when it is not one of ours. */
export function readCursor(cursor: string): string | undefined {
  const text = Buffer.from(cursor, "base64").toString("latin1");
  const id = /^after:([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/.exec(
    text,
  )?.[1];
  return id !== undefined && cursorOf(id) === cursor ? id : undefined;
}

/** What is stored of a kind, as types: values as they are read, and as they are written. */
import { type Field, type Kind, kinds, required } from "./kinds.ts";

const everyKindHas = {
  id: required("uuid"),
  revision: required("int"),
  createdAt: required("timestamp"),
  updatedAt: required("timestamp"),
} as const;

const contentHas = { createdAt: required("timestamp") } as const;

type FieldsOf<K extends Kind> = (typeof kinds)[K]["fields"] &
  (K extends "content" ? typeof contentHas : typeof everyKindHas);

type ValueOf<F extends Field> = F["type"] extends "int"
  ? number
  : F["type"] extends "bool"
    ? boolean
    : F["type"] extends "texts"
      ? readonly string[]
      : F["type"] extends "json"
        ? unknown
        : string;

/** A field's name, of one kind. */
export type FieldName<K extends Kind> = keyof FieldsOf<K> & string;

/** A stored object as it is read: absent optional fields are null, `json` fields are the value they denote. */
export type StoredRecord<K extends Kind> = {
  readonly [F in FieldName<K>]: FieldsOf<K>[F] extends Field
    ? FieldsOf<K>[F]["optional"] extends true
      ? ValueOf<FieldsOf<K>[F]> | null
      : ValueOf<FieldsOf<K>[F]>
    : never;
};

type WrittenValue<F extends Field> = F["type"] extends "json" ? string : ValueOf<F>;

/** Values for a new object: `json` fields are JSON text; `id` is chosen by who creates it. */
export type NewRecord<K extends Kind> = {
  readonly [
    F in keyof (typeof kinds)[K]["fields"] as (typeof kinds)[K]["fields"][F] extends {
      optional: false;
    }
      ? F
      : never
  ]: (typeof kinds)[K]["fields"][F] extends Field
    ? WrittenValue<(typeof kinds)[K]["fields"][F]>
    : never;
} & {
  readonly [
    F in keyof (typeof kinds)[K]["fields"] as (typeof kinds)[K]["fields"][F] extends {
      optional: true;
    }
      ? F
      : never
  ]?: (typeof kinds)[K]["fields"][F] extends Field
    ? WrittenValue<(typeof kinds)[K]["fields"][F]> | null
    : never;
};

const FIELDS: ReadonlyMap<Kind, Readonly<Record<string, Field>>> = new Map(
  (Object.keys(kinds) as Kind[]).map((kind) => [
    kind,
    { ...(kind === "content" ? contentHas : everyKindHas), ...kinds[kind].fields },
  ]),
);

/** The fields of a kind, those that every kind has among them. */
export const fieldsOf = (kind: Kind): Readonly<Record<string, Field>> =>
  FIELDS.get(kind) as Readonly<Record<string, Field>>;

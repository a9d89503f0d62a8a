/** What stands behind the keys of an answer, as SQL that makes JSON text. */
import {
  columnName,
  type Expression,
  type PageSelection,
  type Read,
  type Selection,
  kinds,
  tableName,
} from "@sextant/registry-client";
import { conditionSQL } from "./condition.ts";
import { labelValuesSQL } from "./label-values.ts";
import { type Build, checkedJSON, refusePlan, Scope, valueSQL } from "./scope.ts";
import { concatenation, identifier, literal, type Piece } from "./sql-text.ts";

/** JSON text; `nullable`: the SQL null stands for the JSON null. */
type JSONText = { readonly sql: string; readonly nullable: boolean };

/** The JSON text of a field. UUIDs, numbers and the like need no escaping, which is several times faster. */
function fieldJSON(scope: Scope, name: string): JSONText {
  const { type, optional } = scope.field(name);
  const column = scope.column(name);
  switch (type) {
    case "uuid":
      return { sql: `('"' || ${column} || '"')`, nullable: optional };
    case "int":
    case "bool":
      return { sql: `${column}::text`, nullable: optional };
    case "json":
      return { sql: column, nullable: optional };
    default:
      return { sql: `to_json(${column})::text`, nullable: optional };
  }
}

/** A string of JSON that holds the text of a field. */
function textOfJSON(scope: Scope, name: string): JSONText {
  const { type, optional } = scope.field(name);
  if (type !== "json") return refusePlan(`${name} is not JSON`);
  return { sql: `to_json(${scope.column(name)})::text`, nullable: optional };
}

/** The JSON text of an expression about the object of `scope`. */
function expressionJSON(build: Build, scope: Scope, expression: Expression): JSONText {
  if ("field" in expression) return fieldJSON(scope, expression.field);
  if ("jsonText" in expression) return textOfJSON(scope, expression.jsonText);
  if ("constant" in expression) {
    const text = checkedJSON(expression.constant);
    return text === "null"
      ? { sql: "null::text", nullable: true }
      : { sql: literal(text), nullable: false };
  }
  if ("labels" in expression) return labelsJSON(build, scope, expression.labels);
  if ("object" in expression) {
    const object = objectSQL(build, scope, expression.object);
    if (expression.unlessNull === undefined) return { sql: object, nullable: false };
    return {
      sql: `case when ${scope.column(expression.unlessNull)} is not null then ${object} end`,
      nullable: true,
    };
  }
  if ("choose" in expression) {
    const otherwise = literal(checkedJSON(expression.otherwise));
    const branches = expression.choose.map(
      ({ when, then }) =>
        `when ${conditionSQL(build, scope, when)} then ${literal(checkedJSON(then))}`,
    );
    return {
      sql: branches.length === 0 ? otherwise : `case ${branches.join(" ")} else ${otherwise} end`,
      nullable: false,
    };
  }
  if ("coalesce" in expression) {
    const parts = expression.coalesce.map((one) => expressionJSON(build, scope, one));
    return {
      sql: `coalesce(${parts.map(({ sql }) => sql).join(", ")})`,
      nullable: parts.every(({ nullable }) => nullable),
    };
  }
  if ("lookup" in expression) {
    const { kind, where, field } = expression.lookup;
    const inner = new Scope(kind, build.alias(), scope);
    const value = fieldJSON(inner, field).sql;
    const source = build.source(kind, inner.alias, `(${conditionSQL(build, inner, where)})`);
    return {
      sql: `(select ${value} from ${source.from} where ${source.where} limit 1)`,
      nullable: true,
    };
  }
  return readJSON(build, scope, expression.read);
}

/** One JSON object of all labels; or of the one with the key, when a key is given. */
function labelsJSON(
  build: Build,
  scope: Scope,
  labels: Extract<Expression, { labels: unknown }>["labels"],
): JSONText {
  const { kind } = scope;
  if (kind === null || !kinds[kind].labels)
    return refusePlan(`${kind ?? "an entity without a kind"} has no labels`);
  const alias = build.alias();
  const key = valueSQL(build, scope.parent, labels.key, "text");
  const pairs = `string_agg(concat(to_json(${alias}.key), ':', ${alias}.value), ',' order by ${alias}.key)`;
  const about = `${alias}.kind = '${tableName(kind)}' and ${alias}.object_id = ${scope.column("id")}`;
  const chosen = `(${key} is null or ${alias}.key = ${key})`;
  const none = `case when ${key} is null then '{}' end`;
  return {
    sql: `(select coalesce('{' || ${pairs} || '}', ${none}) from label ${alias} where ${build.wall(alias)} and ${about} and ${chosen})`,
    nullable: true,
  };
}

/** The pieces of one key's value. */
export function valuePieces(build: Build, scope: Scope, expression: Expression): readonly Piece[] {
  if ("constant" in expression) return [{ constant: checkedJSON(expression.constant) }];
  if (
    "field" in expression &&
    scope.field(expression.field).type === "uuid" &&
    !scope.field(expression.field).optional
  ) {
    return [{ constant: '"' }, { sql: scope.column(expression.field) }, { constant: '"' }];
  }
  const { sql, nullable } = expressionJSON(build, scope, expression);
  return [{ sql: nullable ? `coalesce(${sql}, 'null')` : sql }];
}

/** Keys and values as pieces of an object. */
export function objectPieces<Entry extends { readonly as: string }>(
  selection: readonly Entry[],
  value: (entry: Entry) => readonly Piece[],
): readonly Piece[] {
  const pieces = selection.flatMap((entry, place) => [
    { constant: `${place === 0 ? "" : ","}${JSON.stringify(entry.as)}:` },
    ...value(entry),
  ]);
  return [{ constant: "{" }, ...pieces, { constant: "}" }];
}

/** The SQL that makes an object of a selection. */
function objectSQL(build: Build, scope: Scope, selection: Selection): string {
  return concatenation(objectPieces(selection, (entry) => valuePieces(build, scope, entry)));
}

/** The SQL of a read. `around` is the object it hangs on. */
export function readJSON(build: Build, around: Scope | undefined, read: Read): JSONText {
  if ("one" in read) {
    const scope = new Scope(read.one, build.alias(), around);
    const object = objectSQL(build, scope, read.select);
    const { from, where } = build.source(
      read.one,
      scope.alias,
      `(${conditionSQL(build, scope, read.where)})`,
    );
    return { sql: `(select ${object} from ${from} where ${where} limit 1)`, nullable: true };
  }
  if ("list" in read) return { sql: listSQL(build, around, read), nullable: false };
  if ("page" in read) return { sql: pageSQL(build, around, read), nullable: false };
  if ("labelValues" in read) return { sql: labelValuesSQL(build, around, read), nullable: false };
  return { sql: entitiesSQL(build, around, read), nullable: false };
}

/**
 * The rows of a list or page in order of id, with the columns that are needed outside. A subquery with a limit is a fence: nested
 * JSON is made for what is left alone.
 */
function orderedRows(
  build: Build,
  scope: Scope,
  where: string,
  limit: string,
  numbered: boolean,
): string {
  const { kind, alias } = scope;
  if (kind === null || kind === "content")
    return refusePlan("content has no order: it is read one by one");
  const columns = ["id", ...[...scope.needed].filter((name) => name !== "id").toSorted()].map(
    (name) => `${alias}.${identifier(columnName(name))}`,
  );
  if (numbered) columns.push(`row_number() over (order by ${alias}.id) as row_place`);
  const source = build.source(kind, alias, where);
  return `(select ${columns.join(", ")} from ${source.from} where ${source.where} order by ${alias}.id limit ${limit}) ${alias}`;
}

/**
 * The items of an array in order of id. The rows come in that order already, so that nothing is sorted; but an aggregate that
 * names no column of its own rows would be taken for one of the query around.
 */
const arrayItems = (scope: Scope, object: string): string =>
  `string_agg(${object}, ',' order by ${scope.alias}.id)`;

function listSQL(
  build: Build,
  around: Scope | undefined,
  read: Extract<Read, { list: unknown }>,
): string {
  const scope = new Scope(read.list, build.alias(), around);
  const object = objectSQL(build, scope, read.select);
  const where = conditionSQL(build, new Scope(read.list, scope.alias, around), read.where);
  const rows = orderedRows(build, scope, `(${where})`, String(read.max), false);
  return `(select concat('[', ${arrayItems(scope, object)}, ']') from ${rows})`;
}

function pageSQL(
  build: Build,
  around: Scope | undefined,
  read: Extract<Read, { page: unknown }>,
): string {
  const kind = read.page;
  if (!("param" in read.first) || !("param" in read.after))
    return refusePlan("first and after have to be parameters");
  const scope = new Scope(kind, build.alias(), around);
  const { alias } = scope;
  // A place is given out only when it is used: the server refuses parameters that no SQL names.
  const firstName = read.first.param;
  const first = (): string => build.slots.place(firstName, "size");
  const asksNext = read.select.some(
    (entry) =>
      "part" in entry &&
      entry.part === "pageInfo" &&
      entry.select.some((info) => "part" in info && info.part === "hasNextPage"),
  );
  const onPage = (): string => (asksNext ? ` filter (where ${alias}.row_place <= ${first()})` : "");
  // Lower-case hexadecimal in byte order is the order of the UUIDs.
  const id = `${alias}.id::text collate "C"`;
  const cursor = (which: "min" | "max"): readonly Piece[] => [
    { constant: '"' },
    { sql: `encode(convert_to('after:' || ${which}(${id})${onPage()}, 'UTF8'), 'base64')` },
    { constant: '"' },
  ];
  let needsRows = false;

  const infoPieces = (
    info: Extract<PageSelection[number], { part: "pageInfo" }>["select"][number],
  ): readonly Piece[] => {
    if ("constant" in info) return [{ constant: checkedJSON(info.constant) }];
    needsRows = true;
    if (info.part === "hasNextPage") return [{ sql: `(count(*) > ${first()})::text` }];
    return cursor(info.part === "startCursor" ? "min" : "max");
  };
  const pieces = objectPieces(read.select, (entry) => {
    if ("constant" in entry) return [{ constant: checkedJSON(entry.constant) }];
    if (entry.part === "totalCount") return [{ sql: `(${countSQL(build, around, read)})` }];
    if (entry.part === "pageInfo") return objectPieces(entry.select, infoPieces);
    needsRows = true;
    const object = objectSQL(build, scope, entry.select);
    return [{ constant: "[" }, { sql: arrayItems(scope, object) + onPage() }, { constant: "]" }];
  });
  if (!needsRows) return concatenation(pieces);
  const start = `${alias}.id > coalesce(${build.slots.place(read.after.param, "cursor")}, '00000000-0000-0000-0000-000000000000')`;
  const limit = asksNext ? `${first()} + 1` : first();
  const where = conditionSQL(build, new Scope(kind, alias, around), read.where);
  return `(select ${concatenation(pieces)} from ${orderedRows(build, scope, `(${where}) and ${start}`, limit, asksNext)})`;
}

function countSQL(
  build: Build,
  around: Scope | undefined,
  read: Extract<Read, { page: unknown }>,
): string {
  const scope = new Scope(read.page, build.alias(), around);
  const { from, where } = build.source(
    read.page,
    scope.alias,
    `(${conditionSQL(build, scope, read.where)})`,
  );
  return `select count(*) from ${from} where ${where}`;
}

function entitiesSQL(
  build: Build,
  around: Scope | undefined,
  read: Extract<Read, { entities: unknown }>,
): string {
  const asked = build.alias();
  const ids = valueSQL(build, around, read.ids, "uuids");
  const all = `unnest(${ids}) with ordinality ${asked} (id, place)`;
  if (read.entities === null) {
    if (read.where !== undefined)
      refusePlan("an entity without a kind has nothing that a condition could be about");
    const object = objectSQL(build, new Scope(null, asked, around), read.select);
    const entity = `case when ${asked}.id is null then 'null' else ${object} end`;
    return `(select concat('[', string_agg(${entity}, ',' order by ${asked}.place), ']') from ${all})`;
  }
  if (read.entities === "content") return refusePlan("content is no entity");
  const scope = new Scope(read.entities, build.alias(), around);
  const object = objectSQL(build, scope, read.select);
  const where = read.where === undefined ? "true" : `(${conditionSQL(build, scope, read.where)})`;
  const source = build.source(
    read.entities,
    scope.alias,
    `${scope.alias}.id = ${asked}.id and ${where}`,
  );
  const entity = `case when ${scope.alias}.id is null then 'null' else ${object} end`;
  return `(select concat('[', string_agg(${entity}, ',' order by ${asked}.place), ']') from ${all} left join ${source.from} on ${source.where})`;
}

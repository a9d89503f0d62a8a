/** The different values of a label, as SQL that makes JSON text. */
import { type Kind, kinds, type Read, tableName } from "@sextant/registry-client";
import { arrayText } from "../database/array-text.ts";
import { type Build, type Scope, valueSQL } from "./scope.ts";
import { literal } from "./sql-text.ts";

/** Values that are read together have at most so many characters. */
const LARGEST = 16 * 1024 * 1024;

const labelled = (Object.keys(kinds) as Kind[]).filter((kind) => kinds[kind].labels);

/** All kinds with labels, as the table label calls them: with them an index finds the labels of a key. */
export const LABELLED = `any(${literal(arrayText(labelled.map((kind) => tableName(kind))))}::text[])`;

/** Each value with one object that has it, in order of their digests. */
export function labelValuesSQL(
  build: Build,
  around: Scope | undefined,
  read: Extract<Read, { labelValues: unknown }>,
): string {
  for (const kind of labelled) build.kinds.add(kind);
  const key = valueSQL(build, around, read.labelValues, "text");
  const all =
    `select l.kind, l.object_id, l.value, encode(sha256(convert_to(l.value, 'UTF8')), 'hex') as digest from label l ` +
    `where ${build.wall("l")} and l.kind = ${LABELLED} and l.key = ${key}`;
  const different =
    `select distinct on (digest) kind, object_id, value, digest from (${all}) a ` +
    `order by digest, kind, object_id limit ${read.max + 1}`;
  const fitting =
    `select d.*, row_number() over (order by digest) <= ${read.max} ` +
    `and sum(length(value)) over (order by digest) <= ${LARGEST} as fits from (${different}) d`;
  const names = labelled.map((kind) => `when '${tableName(kind)}' then '${kind}'`).join(" ");
  const item =
    `concat('{"kind":"', case f.kind ${names} end, '","id":"', f.object_id, '","digest":"', f.digest, ` +
    `'","value":', f.value, '}')`;
  return (
    `(select concat('{"values":[', string_agg(${item}, ',' order by f.digest) filter (where f.fits), '],"complete":', ` +
    `case when bool_and(f.fits) is false then 'false' else 'true' end, '}') from (${fitting}) f)`
  );
}

/** JSON Schemas that come from outside, compiled and applied in threads of their own: a costly one holds up nobody else. */
import { createThreadPool } from "../thread/thread-pool.ts";

/** A request to the thread. Texts of JSON. */
export type SchemaRequest = { readonly schema: string; readonly values: readonly string[] };

/** The thread's answer. `place`: which of the values is at fault. */
export type SchemaAnswer =
  | { readonly fault: "none" }
  | { readonly fault: "schema"; readonly message: string }
  | { readonly fault: "value"; readonly place: number; readonly message: string };

/** JSON Schemas from outside. */
export type Schemas = {
  /** What is wrong with a JSON Schema (draft 07, or 2020-12 when it says so); undefined: nothing. */
  schemaFault(schema: unknown): Promise<string | undefined>;
  /** What is wrong with a value by a schema, in one line; undefined: nothing. A schema that is itself wrong is a fault, too. */
  fault(schema: unknown, value: unknown): Promise<string | undefined>;
  /** The first of the values that a schema does not accept, by its place; undefined: it accepts all. */
  firstFault(
    schema: unknown,
    values: readonly unknown[],
  ): Promise<{ readonly place: number; readonly message: string } | undefined>;
  /** Ends the threads. */
  close(): Promise<void>;
};

const THREADS = 2;
/** Milliseconds for a schema with some values. */
const TIME_LIMIT = 1_000;
/**
 * A thread that reads what could fill its memory at one stroke would end the whole process, whatever its limit: what it is given
 * is small beside the limit.
 */
const MEMORY_MEBIBYTES = 512;
/** Longest JSON text of a schema and of a value, in UTF-16 units. */
const MAX_SCHEMA = 1024 * 1024;
const MAX_VALUE = 2 * 1024 * 1024;
/** Values that are checked at a time, and the length at which no more are put together. */
const BATCH = 500;
const BATCH_LENGTH = 4 * 1024 * 1024;

/** Makes the threads' keeper. The threads start with the first use, and are kept. */
export function createSchemas(timeLimit: number = TIME_LIMIT): Schemas {
  const pool = createThreadPool<SchemaRequest, SchemaAnswer>({
    script: new URL("schema-thread.ts", import.meta.url),
    size: THREADS,
    timeLimit,
    memoryMebibytes: MEMORY_MEBIBYTES,
  });

  const tooLong = (what: string, max: number) => `${what} must have at most ${max} characters`;

  const firstFault: Schemas["firstFault"] = async (schema, values) => {
    const text = JSON.stringify(schema);
    if (text.length > MAX_SCHEMA) return { place: 0, message: tooLong("the schema", MAX_SCHEMA) };
    for (let from = 0; from < values.length;) {
      const batch: string[] = [];
      for (let length = 0; batch.length < BATCH && length < BATCH_LENGTH;) {
        const place = from + batch.length;
        if (place >= values.length) break;
        const value = JSON.stringify(values[place] ?? null);
        if (value.length > MAX_VALUE) return { place, message: tooLong("it", MAX_VALUE) };
        batch.push(value);
        length += value.length;
      }
      const asked = await pool.run({ schema: text, values: batch });
      if (!asked.ok) {
        const message = "cannot be checked by the schema within the limits of time and memory";
        return { place: from, message };
      }
      const { answer } = asked;
      if (answer.fault === "schema")
        return { place: from, message: `cannot be checked: the schema ${answer.message}` };
      if (answer.fault === "value") return { place: from + answer.place, message: answer.message };
      from += batch.length;
    }
    return undefined;
  };

  return {
    async schemaFault(schema) {
      const text = JSON.stringify(schema ?? null);
      if (text.length > MAX_SCHEMA) return `must have at most ${MAX_SCHEMA} characters`;
      const asked = await pool.run({ schema: text, values: [] });
      if (!asked.ok) return "takes too much time or memory: make it simpler";
      return asked.answer.fault === "schema" ? asked.answer.message : undefined;
    },
    fault: async (schema, value) => (await firstFault(schema, [value]))?.message,
    firstFault,
    close: () => pool.close(),
  };
}

import { serveThread } from "../thread/serve-thread.ts";
import { type CompiledSchema, compileSchema } from "./json-schema.ts";
import type { SchemaAnswer, SchemaRequest } from "./schemas.ts";

/** Compiled schemas by their text, the one used last at the end. */
const compiled = new Map<string, CompiledSchema>();
const MAX_KEPT = 100;

function compiledOf(text: string): CompiledSchema {
  const found = compiled.get(text) ?? compileSchema(JSON.parse(text));
  compiled.delete(text);
  compiled.set(text, found);
  const [oldest] = compiled.keys();
  if (compiled.size > MAX_KEPT && oldest !== undefined) compiled.delete(oldest);
  return found;
}

serveThread(({ schema, values }: SchemaRequest): SchemaAnswer => {
  const known = compiledOf(schema);
  if (!known.ok) return { fault: "schema", message: known.fault };
  for (const [place, value] of values.entries()) {
    const message = known.faultOf(JSON.parse(value));
    if (message !== undefined) return { fault: "value", place, message };
  }
  return { fault: "none" };
});

/** JSON Schemas that come from outside: draft 07, or 2020-12 when the schema says so. No I/O. */
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";

/** A schema ready to be used, or what is wrong with it. */
export type CompiledSchema =
  | {
      readonly ok: true;
      /** What is wrong with a value, in one line; undefined: nothing. */
      readonly faultOf: (value: unknown) => string | undefined;
    }
  | { readonly ok: false; readonly fault: string };

const options = { strict: false, allErrors: false, validateFormats: false, logger: false } as const;

/** Compiles a schema. References lead nowhere but into the schema itself. */
export function compileSchema(schema: unknown): CompiledSchema {
  const isObject = typeof schema === "object" && schema !== null && !Array.isArray(schema);
  if (!isObject && typeof schema !== "boolean")
    return { ok: false, fault: "must be a JSON Schema: an object or a boolean" };
  const dialect = isObject ? (schema as Readonly<Record<string, unknown>>)["$schema"] : undefined;
  const is2020 = typeof dialect === "string" && dialect.includes("2020-12");
  try {
    const ajv = is2020 ? new Ajv2020(options) : new Ajv(options);
    const validate = ajv.compile(schema as object);
    // Ajv's own word: such a check answers later, and its refusal would be nobody's.
    if ("$async" in validate) return { ok: false, fault: "must not have $async" };
    return {
      ok: true,
      faultOf: (value) => {
        if (validate(value)) return undefined;
        const [error] = validate.errors ?? [];
        return `${error?.instancePath ?? ""} ${error?.message ?? "is not allowed"}`.trim();
      },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 200) : "";
    return { ok: false, fault: `is not a valid JSON Schema: ${reason}` };
  }
}

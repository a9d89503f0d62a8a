/** Checks of inputs that GraphQL's types cannot express: every violated field is told at once. */
import { invalidData } from "@sextant/errors";
import type { Call } from "@sextant/service";
import type { z } from "zod";

/** Faults that are told of one input: an error is for people. */
const MAX_FAULTS = 200;

function outputOf<Schema extends z.ZodType>(
  inputType: string,
  result: z.ZodSafeParseResult<z.output<Schema>>,
): z.output<Schema> {
  if (result.success) return result.data;
  const { issues } = result.error;
  const faults = issues.slice(0, MAX_FAULTS).map((issue) => ({
    field: issue.path.join(".") || "in",
    message: issue.message,
  }));
  const more = issues.length - faults.length;
  const rest = more === 0 ? [] : [{ field: "and", message: `${more} more` }];
  throw invalidData(inputType, [...faults, ...rest]);
}

/** Checks `value`; throws INVALID_DATA for the input type, naming every violated field. */
export function checked<Schema extends z.ZodType>(
  inputType: string,
  schema: Schema,
  value: unknown,
): z.output<Schema> {
  return outputOf<Schema>(inputType, schema.safeParse(value));
}

/** Checks `value` as {@link checked} does, by a schema with checks that take their time. */
export async function checkedFully<Schema extends z.ZodType>(
  inputType: string,
  schema: Schema,
  value: unknown,
): Promise<z.output<Schema>> {
  return outputOf<Schema>(inputType, await schema.safeParseAsync(value));
}

/** Checks the JSON body of a request as {@link checked} does. */
export async function checkedBody<Schema extends z.ZodType>(
  inputType: string,
  schema: Schema,
  call: Call,
): Promise<z.output<Schema>> {
  const text = (await call.body()).toString("utf8");
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw invalidData(inputType, [{ field: "body", message: "must be valid JSON" }]);
  }
  return checked(inputType, schema, body);
}

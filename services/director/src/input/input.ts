/** What inputs must be that GraphQL's types cannot say. */
import { z } from "zod";

const unstorable = (text: string) => text.includes("\u0000") || !text.isWellFormed();

/** Text of a length, without what cannot be stored. */
export const text = (min: number, max: number) =>
  z
    .string()
    .refine((value) => value.length >= min && value.length <= max, {
      error:
        min === 0 ? `must have at most ${max} characters` : `must have ${min} to ${max} characters`,
    })
    .refine((value) => !unstorable(value), {
      error: "has a character that cannot be stored (NUL or a lone surrogate)",
    });

/** A name of printable ASCII. */
export const asciiName = (max: number) =>
  z
    .string()
    .refine((value) => value.length >= 1 && value.length <= max && /^[\x20-\x7e]+$/.test(value), {
      error: `must have 1 to ${max} printable ASCII characters`,
    });

/** An absolute http or https URL of at most 256 characters, without a user name or password. */
export const absoluteURL = z.string().refine(
  (value) => {
    const url = URL.parse(value);
    return (
      value.length <= 256 &&
      // URL.parse forgives what a sender or the storage would not: white space, control characters, `http:host`.
      /^https?:\/\/[^\s\p{Cc}]+$/iu.test(value) &&
      value.isWellFormed() &&
      url !== null &&
      ["http:", "https:"].includes(url.protocol) &&
      url.username === "" &&
      url.password === ""
    );
  },
  {
    error:
      "must be an absolute http or https URL of at most 256 characters, without user name or password",
  },
);

export const description = text(0, 2000).nullish();
export const group = text(0, 100).nullish();

/** A semantic version (semver.org 2.0.0). */
export const semver = z
  .string()
  .max(128)
  .refine(
    (value) =>
      /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/.test(
        value,
      ),
    {
      error: "must be a semantic version such as 1.4.0",
    },
  );

/** How deep a JSON value may be nested. */
const MAX_DEPTH = 100;

/** What keeps a JSON value from being stored as it is; undefined: nothing. */
export function jsonFault(value: unknown, limit = MAX_DEPTH): string | undefined {
  if (typeof value === "string" && unstorable(value))
    return "has a character that cannot be stored (NUL or a lone surrogate)";
  if (value === null || typeof value !== "object") return undefined;
  if (limit === 0) return `must not be nested deeper than ${MAX_DEPTH}`;
  for (const [key, one] of Object.entries(value)) {
    const fault = jsonFault(key) ?? jsonFault(one, limit - 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** A JSON value, given as JSON text or as the value itself; becomes JSON text of at most `max` bytes. */
export const jsonText = (max: number) =>
  z
    .unknown()
    .optional()
    .transform((value, context): string | null => {
      if (value === undefined || value === null) return null;
      const fail = (message: string) => {
        context.addIssue({ code: "custom", message });
        return z.NEVER;
      };
      let parsed: unknown = value;
      if (typeof value === "string") {
        if (value.length > max) return fail(`must have at most ${max} bytes`);
        try {
          parsed = JSON.parse(value);
        } catch {
          return fail("must be valid JSON");
        }
      }
      const fault = jsonFault(parsed);
      if (fault !== undefined) return fail(fault);
      const json = JSON.stringify(parsed);
      if (Buffer.byteLength(json) > max) return fail(`must have at most ${max} bytes`);
      return json;
    });

/** Specifications: which notations each kind has, and how their texts are stored. */
import { createHash } from "node:crypto";
import type { Step } from "@sextant/registry-client";
import { z } from "zod";
import type { Context } from "../act/act.ts";
import { fetchRequestInput } from "../fetch-request/fetch-request.ts";
import type { Format, SpecType } from "./parse.ts";

/** Largest specification or document, in bytes. */
export const MAX_SPECIFICATION = 10 * 1024 * 1024;

const formats: Readonly<Record<SpecType, readonly Format[]>> = {
  OPEN_API: ["YAML", "JSON"],
  ASYNC_API: ["YAML", "JSON"],
  ODATA: ["XML", "JSON"],
};

/** What keeps a text from being stored as a specification or document; undefined: nothing. */
export function textFault(text: string): string | undefined {
  if (Buffer.byteLength(text) > MAX_SPECIFICATION) return "must have at most 10 MiB";
  if (text.includes("\u0000") || !text.isWellFormed())
    return "has a character that cannot be stored (NUL or a lone surrogate)";
  return undefined;
}

/** A text of at most 10 MiB that can be stored. */
export const largeText = z.string().superRefine((value, context) => {
  const message = textFault(value);
  if (message !== undefined) context.addIssue({ code: "custom", message, continue: false });
});

/** The part of Director that checks specifications. */
export type SpecChecks = Pick<Context, "specifications" | "allowPrivateTargets">;

/** APISpecInput and EventSpecInput: a text that is what it claims to be, or where it is fetched from. */
export const specInput = (checks: SpecChecks) =>
  z
    .object({
      data: largeText.nullish(),
      type: z.enum(["OPEN_API", "ODATA", "ASYNC_API"]),
      format: z.enum(["YAML", "JSON", "XML"]),
      fetchRequest: fetchRequestInput(checks.allowPrivateTargets).nullish(),
    })
    .superRefine(async ({ data, type, format, fetchRequest }, context) => {
      const fail = (field: string, message: string) =>
        context.addIssue({ code: "custom", path: [field], message });
      const hasData = data !== null && data !== undefined;
      const hasRequest = fetchRequest !== null && fetchRequest !== undefined;
      if (hasData === hasRequest) fail("data", "give exactly one of data and fetchRequest");
      if (!formats[type].includes(format)) {
        fail("format", `${type} is ${formats[type].join(" or ")}, not ${format}`);
        return;
      }
      if (!hasData) return;
      const fault = await checks.specifications.fault({ type, format, data });
      if (fault !== undefined) fail("data", fault);
    });

/** See {@link specInput}. */
export type Spec = z.output<ReturnType<typeof specInput>>;

/** A text for the storage: its hash, and the step that stores it. */
export function storedContent(text: string): { readonly hash: string; readonly step: Step } {
  const hash = createHash("sha256").update(text).digest("hex");
  return { hash, step: { op: "content", hash, text } };
}

/** The columns of a specification. One that is to be fetched has no text yet, or keeps the one it has. */
export function specColumns(spec: Spec | null | undefined): {
  readonly specType: string | null;
  readonly specFormat: string | null;
  readonly specContent?: string | null;
  readonly steps: readonly Step[];
} {
  if (spec === null || spec === undefined)
    return { specType: null, specFormat: null, specContent: null, steps: [] };
  const { type: specType, format: specFormat, data } = spec;
  if (data === null || data === undefined) return { specType, specFormat, steps: [] };
  const { hash, step } = storedContent(data);
  return { specType, specFormat, specContent: hash, steps: [step] };
}

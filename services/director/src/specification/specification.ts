/** Specifications: which notations each kind has, and whether a text is what it claims to be. */
import { createHash } from "node:crypto";
import { invalidData } from "@sextant/errors";
import type { Step } from "@sextant/registry-client";
import { z } from "zod";

/** Largest specification or document, in bytes. */
export const MAX_SPECIFICATION = 10 * 1024 * 1024;

/** A notation. */
export type Format = "YAML" | "JSON" | "XML";
/** A kind of specification. */
export type SpecType = "OPEN_API" | "ODATA" | "ASYNC_API";

const formats: Readonly<Record<SpecType, readonly Format[]>> = {
  OPEN_API: ["YAML", "JSON"],
  ASYNC_API: ["YAML", "JSON"],
  ODATA: ["XML", "JSON"],
};

/** A text of at most 10 MiB that can be stored. */
export const largeText = z
  .string()
  .refine((value) => Buffer.byteLength(value) <= MAX_SPECIFICATION, {
    error: "must have at most 10 MiB",
  })
  .refine((value) => !value.includes("\u0000") && value.isWellFormed(), {
    error: "has a character that cannot be stored (NUL or a lone surrogate)",
  });

/** APISpecInput and EventSpecInput. */
export const specInput = z
  .object({
    data: z.string({ error: "is required" }).pipe(largeText),
    type: z.enum(["OPEN_API", "ODATA", "ASYNC_API"]),
    format: z.enum(["YAML", "JSON", "XML"]),
  })
  .superRefine((spec, context) => {
    if (formats[spec.type].includes(spec.format)) return;
    const message = `${spec.type} is ${formats[spec.type].join(" or ")}, not ${spec.format}`;
    context.addIssue({ code: "custom", path: ["format"], message });
  });

/** See {@link specInput}. */
export type Spec = z.output<typeof specInput>;

/** A specification with its place in the input, for the error. */
export type PlacedSpec = { readonly field: string; readonly spec: Spec };

/** Tells what is wrong with a specification; undefined when it is what it claims to be. */
export type SpecificationChecker = (spec: Spec) => Promise<string | undefined>;

/** Checks specifications; throws INVALID_DATA naming every one that is not what it claims to be. */
export async function checkSpecifications(
  inputType: string,
  placed: readonly PlacedSpec[],
  check: SpecificationChecker,
): Promise<void> {
  const faults = [];
  for (const { field, spec } of placed) {
    const message = await check(spec);
    if (message !== undefined) faults.push({ field: `${field}.data`, message });
  }
  if (faults.length > 0) throw invalidData(inputType, faults);
}

/** A text for the storage: its hash, and the step that stores it. */
export function storedContent(text: string): { readonly hash: string; readonly step: Step } {
  const hash = createHash("sha256").update(text).digest("hex");
  return { hash, step: { op: "content", hash, text } };
}

/** The columns of a specification. */
export function specColumns(spec: Spec | null | undefined): {
  readonly specType: string | null;
  readonly specFormat: string | null;
  readonly specContent: string | null;
  readonly steps: readonly Step[];
} {
  if (spec === null || spec === undefined)
    return { specType: null, specFormat: null, specContent: null, steps: [] };
  const { hash, step } = storedContent(spec.data);
  return { specType: spec.type, specFormat: spec.format, specContent: hash, steps: [step] };
}

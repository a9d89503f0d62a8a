/** Application templates: placeholders and what is put in their place. No I/O. */
import { z } from "zod";
import { asciiName, description, jsonFault, text } from "../input/input.ts";

const MAX_PLACEHOLDERS = 100;
const MAX_INPUT = 10 * 1024 * 1024;
const placeholderName = z
  .string()
  .regex(/^[a-zA-Z0-9._-]{1,100}$/, "must have 1 to 100 letters, digits, -, . and _");

/** What is written `{{name}}`. */
const placeholder = /\{\{([a-zA-Z0-9._-]{1,100})\}\}/g;

/** A JSON value whose texts and keys have been changed. */
function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [change(key), mapTexts(one, change)]),
  );
}

/** The placeholders that a value uses. */
export function usedPlaceholders(value: unknown): ReadonlySet<string> {
  const used = new Set<string>();
  mapTexts(value, (one) => {
    for (const [, name] of one.matchAll(placeholder)) if (name !== undefined) used.add(name);
    return one;
  });
  return used;
}

/** Puts the values in place of the placeholders. A value is not looked through again. */
export function filledIn(value: unknown, values: ReadonlyMap<string, string>): unknown {
  return mapTexts(value, (one) =>
    one.replaceAll(placeholder, (whole, name: string) => values.get(name) ?? whole),
  );
}

/** ApplicationTemplateInput; `applicationInput` becomes JSON text. */
export const applicationTemplateInput = z
  .object({
    name: asciiName(100),
    description,
    applicationInput: z.record(z.string(), z.unknown()),
    placeholders: z
      .array(z.object({ name: placeholderName, description: text(0, 2000).nullish() }))
      .max(MAX_PLACEHOLDERS, `must have at most ${MAX_PLACEHOLDERS} entries`)
      .nullish(),
    accessLevel: z.literal("GLOBAL"),
  })
  .superRefine(({ applicationInput, placeholders }, context) => {
    const fault = (path: (string | number)[], message: string) =>
      context.addIssue({ code: "custom", path, message });
    const unstorable = jsonFault(applicationInput);
    if (unstorable !== undefined) return fault(["applicationInput"], unstorable);
    if (Buffer.byteLength(JSON.stringify(applicationInput)) > MAX_INPUT)
      return fault(["applicationInput"], "must have at most 10 MiB as JSON");
    const used = usedPlaceholders(applicationInput);
    const defined = new Set<string>();
    for (const [index, { name }] of (placeholders ?? []).entries()) {
      if (defined.has(name)) fault(["placeholders", index, "name"], `${name} is defined twice`);
      defined.add(name);
      if (!used.has(name))
        fault(["placeholders", index, "name"], `{{${name}}} is not used in applicationInput`);
    }
    for (const name of used)
      if (!defined.has(name))
        fault(["applicationInput"], `{{${name}}} is not defined in placeholders`);
    return undefined;
  })
  .transform(({ applicationInput, placeholders, ...rest }) => ({
    ...rest,
    applicationInput: JSON.stringify(applicationInput),
    placeholders: JSON.stringify(
      (placeholders ?? []).map((one) => ({ name: one.name, description: one.description ?? null })),
    ),
  }));

/** ApplicationFromTemplateInput. */
export const applicationFromTemplateInput = z.object({
  templateName: text(1, 100),
  values: z
    .array(z.object({ placeholder: placeholderName, value: text(0, 2000) }))
    .max(MAX_PLACEHOLDERS, `must have at most ${MAX_PLACEHOLDERS} entries`)
    .nullish(),
});

/** What is wrong with the values for a template's placeholders. */
export function valueFaults(
  placeholders: readonly { readonly name: string }[],
  values: readonly { readonly placeholder: string }[],
): { readonly field: string; readonly message: string }[] {
  const defined = new Set(placeholders.map(({ name }) => name));
  const given = new Set<string>();
  const faults = [];
  for (const [index, { placeholder: name }] of values.entries()) {
    const field = `values.${index}.placeholder`;
    if (!defined.has(name))
      faults.push({ field, message: `the template has no placeholder ${name}` });
    if (given.has(name)) faults.push({ field, message: `${name} has a value already` });
    given.add(name);
  }
  for (const name of defined)
    if (!given.has(name)) faults.push({ field: "values", message: `has no value for ${name}` });
  return faults;
}

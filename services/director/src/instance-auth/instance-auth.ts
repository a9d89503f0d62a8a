/** Credentials of a bundle for one runtime: checked inputs and rules. No I/O. */
import { z } from "zod";
import { authInput } from "../auth/auth.ts";
import { jsonText, text } from "../input/input.ts";
import type { Schemas } from "../input/schemas.ts";

const MAX_JSON = 64 * 1024;

/** Credentials of one bundle. */
export const MAX_CREDENTIALS = 1000;

const parameters = { context: jsonText(MAX_JSON), inputParams: jsonText(MAX_JSON) };

/** BundleInstanceAuthCreateInput. */
export const instanceAuthCreateInput = z.object({
  auth: authInput,
  runtimeID: z.string(),
  ...parameters,
});

/** BundleInstanceAuthUpdateInput. */
export const instanceAuthUpdateInput = z.object({ auth: authInput.nullish(), ...parameters });

/** BundleInstanceAuthRequestInput. */
export const instanceAuthRequestInput = z.object({
  id: z.guid("must be a UUID").nullish(),
  runtimeID: z.string().nullish(),
  ...parameters,
});

/** BundleInstanceAuthSetInput. */
export const instanceAuthSetInput = z
  .object({
    auth: authInput.nullish(),
    status: z
      .object({
        condition: z.enum(["SUCCEEDED", "FAILED"]),
        message: text(0, 2000),
        reason: text(0, 256),
      })
      .nullish(),
  })
  .superRefine((value, context) => {
    const hasAuth = value.auth !== null && value.auth !== undefined;
    if (!hasAuth && value.status?.condition !== "FAILED") {
      context.addIssue({
        code: "custom",
        path: ["auth"],
        message: "is required unless the condition is FAILED",
      });
    }
    if (hasAuth && value.status?.condition === "FAILED") {
      context.addIssue({
        code: "custom",
        path: ["auth"],
        message: "must not be given when the condition is FAILED",
      });
    }
  });

/** What is wrong with the parameters of a request, by the bundle's schema; undefined: nothing. */
export async function parameterFault(
  schemas: Schemas,
  schema: unknown,
  inputParams: string | null,
): Promise<string | undefined> {
  if (schema === null || schema === undefined) return undefined;
  const fault = await schemas.fault(schema, inputParams === null ? {} : JSON.parse(inputParams));
  return fault === undefined ? undefined : `do not satisfy the bundle's schema: ${fault}`;
}

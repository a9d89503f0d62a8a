/** Runtimes: their checked inputs. */
import { z } from "zod";
import { description } from "../input/input.ts";

/** RuntimeInput, but for the labels, which have rules of their own. */
export const runtimeInput = z.object({
  name: z
    .string()
    .regex(/^[a-zA-Z0-9-._]{1,256}$/, "must have 1 to 256 letters, digits, -, . and _"),
  description,
  labels: z.unknown().optional(),
  statusCondition: z.enum(["INITIAL", "PROVISIONING", "CONNECTED", "FAILED"]).nullish(),
});

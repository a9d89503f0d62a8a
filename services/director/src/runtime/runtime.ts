/** Runtimes: their checked inputs. */
import { z } from "zod";
import { description } from "../input/input.ts";
import { type GroupNames, labelsInput } from "../label/label.ts";

/** RuntimeInput. */
export const runtimeInput = (groups: GroupNames) =>
  z.object({
    name: z
      .string()
      .regex(/^[a-zA-Z0-9-._]{1,256}$/, "must have 1 to 256 letters, digits, -, . and _"),
    description,
    labels: labelsInput(groups),
    statusCondition: z.enum(["INITIAL", "PROVISIONING", "CONNECTED", "FAILED"]).nullish(),
  });

/** Runtime contexts: their checked inputs. */
import { z } from "zod";
import { text } from "../input/input.ts";
import { type GroupNames, labelsInput } from "../label/label.ts";

/** Contexts of one runtime. */
export const MAX_CONTEXTS = 1_000;

/** RuntimeContextInput. */
export const runtimeContextInput = (groups: GroupNames) =>
  z.object({ key: text(1, 256), value: text(1, 2000), labels: labelsInput(groups) });

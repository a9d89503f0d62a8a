/** Operations: their stages and how they follow each other. No I/O. */
import { z } from "zod";

/** What an operation does. */
export type OperationType = "Provision" | "Upgrade" | "Deprovision" | "ReconnectRuntime";

/** The stages of each, in their order. `undo` takes back what a cancelled or failed provisioning has made. */
export const stages = {
  Provision: ["register", "create", "inject", "start", "connect"],
  Upgrade: ["create", "start", "connect"],
  Deprovision: ["remove", "unregister"],
  ReconnectRuntime: ["inject", "start", "connect"],
} as const satisfies Readonly<Record<OperationType, readonly string[]>>;

/** A stage's name. */
export type Stage = (typeof stages)[OperationType][number] | "undo" | "done";

/** What each stage says while it goes on. */
export const messages: Readonly<Record<Stage, string>> = {
  register: "registering the runtime in Director",
  create: "making room for the runtime",
  inject: "handing the runtime its configuration and a one-time token",
  start: "starting the runtime",
  connect: "waiting until the runtime's agent has paired, applied its plan and is ready",
  remove: "removing the runtime",
  unregister: "unregistering the runtime in Director",
  undo: "taking back what was made",
  done: "done",
};

/** What was asked for; kept with the operation. */
export type OperationInput = {
  readonly name: string;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, unknown>> | null;
  readonly driver: string;
  readonly parameters: Readonly<Record<string, unknown>>;
};

/** What an operation remembers from stage to stage. */
export type Progress = {
  /** Attempts of this stage that failed. */
  readonly failures: number;
  /** When the stage has to be over, in milliseconds since 1970. */
  readonly until: number;
  /** The agent's last report before the runtime was started: what it says of the runtime is no longer true. */
  readonly reportedBefore?: string | null;
};

/** Attempts of a stage before the operation fails. */
export const MAX_FAILURES = 5;
/** Longest time of a stage, in milliseconds. */
export const STAGE_LIMIT = 300_000;

/** The stage behind this one. */
export function stageAfter(type: OperationType, stage: Stage): Stage {
  const list: readonly Stage[] = stages[type];
  return list[list.indexOf(stage) + 1] ?? "done";
}

/** The progress of a stage that begins. */
export const beginning = (now: number): Progress => ({ failures: 0, until: now + STAGE_LIMIT });

const MAX_PARAMETERS = 64 * 1024;
const parametersInput = z
  .unknown()
  .optional()
  .transform((value, context): Readonly<Record<string, unknown>> => {
    const fail = (message: string) => {
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    };
    if (value === undefined || value === null) return {};
    let parsed = value;
    if (typeof value === "string") {
      try {
        parsed = JSON.parse(value);
      } catch {
        return fail("must be valid JSON");
      }
    }
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
      return fail("must be a JSON object");
    if (JSON.stringify(parsed).length > MAX_PARAMETERS)
      return fail(`must have at most ${MAX_PARAMETERS} bytes`);
    return parsed as Readonly<Record<string, unknown>>;
  });

/** ProvisionRuntimeInput; labels have Director's rules, and are checked there. */
export const provisionRuntimeInput = z.object({
  name: z
    .string()
    .regex(/^[a-zA-Z0-9-._]{1,256}$/, "must have 1 to 256 letters, digits, -, . and _"),
  description: z.string().max(2000, "must have at most 2000 characters").nullish(),
  labels: z.record(z.string(), z.unknown(), "must be a JSON object").nullish(),
  driver: z.string(),
  parameters: parametersInput,
});

/** UpgradeRuntimeInput. */
export const upgradeRuntimeInput = z.object({ parameters: parametersInput });

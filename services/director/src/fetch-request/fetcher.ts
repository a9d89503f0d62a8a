/** Carries out fetch requests: downloads, checks what came, and stores it unless it was asked for something else meanwhile. */
import { all, equals } from "@sextant/graphql";
import {
  type Claimed,
  type Outcome,
  readOne,
  type Step,
  timestamp,
  update,
} from "@sextant/registry-client";
import { type Context } from "../act/act.ts";
import { openStoredAuth } from "../auth/auth.ts";
import { runtimesOfApplication } from "../group/group.read.ts";
import type { Outbound } from "../outbound/outbound-client.ts";
import type { SpecText } from "../specification/parse.ts";
import { storedContent, textFault } from "../specification/specification.ts";
import { download, FetchError } from "./download.ts";

/** How often a server is asked before it is given up, and the pauses in seconds between. */
export const MAX_ATTEMPTS = 4;
const PAUSES = [5, 30, 120];

/** Nothing is to be noted: it was asked for something else meanwhile, or all is stored already. */
const settled: Outcome = { done: true, values: {} };

/** Where the text goes. */
type Owner = {
  readonly kind: "apiDefinition" | "eventDefinition" | "document";
  readonly id: string;
  readonly stored: string | null;
  /** What the text has to be; undefined: any text. */
  readonly claim: Omit<SpecText, "data"> | undefined;
};

async function ownerOf(
  context: Context,
  work: Claimed<"fetchRequest">,
): Promise<Owner | undefined> {
  const { tenant } = work;
  const isIt = equals("id", { param: "id" });
  if (work.documentID !== null) {
    const id = work.documentID;
    const found = await readOne(context.registry, tenant, "document", isIt, ["content"], { id });
    return found && { kind: "document", id, stored: found.content, claim: undefined };
  }
  const kind = work.apiDefinitionID === null ? "eventDefinition" : "apiDefinition";
  const id = (work.apiDefinitionID ?? work.eventDefinitionID) as string;
  const fields = ["specContent", "specType", "specFormat"] as const;
  const found = await readOne(context.registry, tenant, kind, isIt, fields, { id });
  if (found === undefined || found.specType === null || found.specFormat === null) return undefined;
  const claim = { type: found.specType, format: found.specFormat } as Omit<SpecText, "data">;
  return { kind, id, stored: found.specContent, claim };
}

/** Makes the handler of one claimed fetch request. `random` is in [0, 1). */
export function createFetcher(
  context: Context,
  outbound: Pick<Outbound, "exchange">,
  random: () => number,
  timeLimit?: number,
) {
  const fetched = async (
    work: Claimed<"fetchRequest">,
    { claim }: Owner,
    ending: AbortSignal,
  ): Promise<string> => {
    if (work.mode !== "SINGLE")
      throw new FetchError(`the mode ${work.mode} is not carried out, only SINGLE is`, false);
    // The handling itself ended this process, or was too slow, that often.
    if (Number(work.attempts) > MAX_ATTEMPTS)
      throw new FetchError(`it was given up after ${MAX_ATTEMPTS} attempts`, false);
    const auth =
      work.auth === null ? undefined : openStoredAuth(context.sealer, work.tenant, work.auth);
    const text = await download(outbound, work.url, auth, ending, timeLimit);
    const fault =
      textFault(text) ??
      (claim === undefined
        ? undefined
        : await context.specifications.fault({ ...claim, data: text }));
    if (fault !== undefined) throw new FetchError(`what the server gave ${fault}`, false);
    return text;
  };

  /** One commit. It is refused when the request is another by now, or whose text it is. */
  const store = async (
    work: Claimed<"fetchRequest">,
    owner: Owner,
    text: string,
  ): Promise<Outcome> => {
    const { hash, step } = storedContent(text);
    const isMine = equals("leaseToken", { param: "leaseToken" });
    const done = {
      statusCondition: "SUCCEEDED",
      statusTimestamp: timestamp(context.now()),
      statusMessage: null,
      nextAttemptAt: null,
      leaseToken: null,
      leaseUntil: null,
    };
    const steps: Step[] = [update("fetchRequest", work.id, done, { quiet: true, where: isMine })];
    if (hash !== owner.stored) {
      const changed =
        owner.kind === "document"
          ? update("document", owner.id, { content: hash })
          : update(
              owner.kind,
              owner.id,
              { specContent: hash },
              {
                where: all(
                  equals("specType", { param: "specType" }),
                  equals("specFormat", { param: "specFormat" }),
                ),
              },
            );
      const runtimes = runtimesOfApplication({ param: "applicationID" });
      steps.push(step, changed, { op: "stale", runtimes, cause: "specification fetched" });
    }
    const answer = await context.registry.commit({
      id: context.newID(),
      tenant: work.tenant,
      actor: { type: "SERVICE", id: "director" },
      action: "fetchSpecification",
      observed: true,
      steps,
      params: {
        applicationID: work.applicationID,
        groupLabel: context.groups.label,
        leaseToken: work.leaseToken,
        specType: owner.claim?.type ?? null,
        specFormat: owner.claim?.format ?? null,
      },
    });
    if (answer.ok || ["NOT_FOUND", "PRECONDITION", "REFERENCE"].includes(answer.failure.reason))
      return settled;
    throw new Error(`a fetched text was refused: ${answer.failure.reason}`);
  };

  return async (work: Claimed<"fetchRequest">, ending: AbortSignal): Promise<Outcome> => {
    const owner = await ownerOf(context, work);
    if (owner === undefined) return settled;
    try {
      return await store(work, owner, await fetched(work, owner, ending));
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      const attempts = Number(work.attempts);
      const pause = error.isTransient ? PAUSES[attempts - 1] : undefined;
      const statusTimestamp = timestamp(context.now());
      if (pause === undefined || attempts >= MAX_ATTEMPTS) {
        const values = { statusCondition: "FAILED", statusTimestamp, statusMessage: error.message };
        return { done: true, values };
      }
      return {
        done: false,
        values: {
          statusMessage: `${error.message}; it is tried again (${attempts} of ${MAX_ATTEMPTS})`,
        },
        nextAttemptAt: timestamp(context.now() + pause * 1000 * (1 + random() / 10)),
      };
    }
  };
}

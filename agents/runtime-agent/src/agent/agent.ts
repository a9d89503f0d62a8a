/** The agent's loop: pair, then poll, report and renew until it is told to stop. */
import type { Logger } from "@sextant/logging";
import { hashToken, type Identity } from "../identity/identity.ts";
import type { IdentityStore } from "../identity/identity-store.ts";
import type { connectFault } from "../health/reachability.ts";
import { createReachWatch } from "../health/reach-watch.ts";
import { createConnectorClient } from "../pairing/connector-client.ts";
import { pair, renew } from "../pairing/pairing.ts";
import { fetchPlan, sendStatus, type PlanAnswer } from "../plan/plan-client.ts";
import {
  readPlanHead,
  reportOn,
  type HealthReport,
  type PlanHead,
  type StatusReport,
} from "../plan/plan.ts";
import type { PlanStore, StoredPlan } from "../plan/plan-store.ts";
import type { ConnectionOptions, PlaneConnection } from "../plane/plane-connection.ts";
import { PlaneError } from "../plane/plane-error.ts";
import { takeTrustBundle } from "../plane/trust-bundle.ts";
import { LONGEST_MS, waitAfter, type FaultKind } from "./backoff.ts";
import { afterFailedRenewal, askedAgain, renewalIn } from "./renewal.ts";
import { nextStep, type Step } from "./step.ts";

/** What the agent is made of. */
export type AgentDependencies = {
  readonly settings: {
    readonly connectorUrl: string | undefined;
    readonly token: string | undefined;
    readonly runtimeId: string | undefined;
    /** Milliseconds between two looks at whether applications can be reached; 0: never. */
    readonly reachIntervalMs: number;
  };
  readonly identityStore: IdentityStore;
  readonly planStore: PlanStore;
  readonly connect: (options: ConnectionOptions) => PlaneConnection;
  /** Finds the authority to check the plane at `url` by. */
  readonly findAuthority: (url: URL, signal: AbortSignal) => Promise<string>;
  readonly now: () => Date;
  readonly random: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Why an application's address cannot be connected to. */
  readonly connectFault: typeof connectFault;
  readonly log: Logger;
};

/** An agent that runs until `signal` says to stop. */
export type Agent = {
  run(signal: AbortSignal): Promise<void>;
  /** Undefined when the last exchange with the plane succeeded, else why not. */
  readiness(): string | undefined;
};

const FAULT_EVENT: Readonly<Record<FaultKind, string>> = {
  unavailable: "plane not reachable",
  refused:
    "plane refuses this agent: its token is used or expired, or its certificate revoked; it needs a new token",
  untrusted: "plane not trusted: its certificate does not lead to the expected root",
  invalid: "plane's answer not understood",
};

/** A held request that is answered sooner, without news, was not held. */
const SHORTEST_HOLD_MS = 1_000;

/** Puts an agent together; {@link Agent.run} starts it. */
export function createAgent(dependencies: AgentDependencies): Agent {
  const { settings, identityStore, planStore, now, random, log } = dependencies;
  const tokenHash = settings.token === undefined ? undefined : hashToken(settings.token);
  let identity: Identity | undefined;
  let connection: PlaneConnection | undefined;
  let plan: StoredPlan | undefined;
  let refusedToken: string | undefined;
  /** When to ask for the renewal window; the one that was told last, and failed renewals since the last that did not. */
  const renewal = { askAt: new Date(0), window: "", failed: 0 };
  let unready: string | undefined = "the agent is starting";
  /** The revision that the plane has a report of since the start. */
  let reported: number | undefined;
  /** Whether the plane has answered a poll since the start. */
  let answered = false;
  /** What is wrong with the agent itself. */
  const own: { plan: string | undefined; certificate: string | undefined } = {
    plan: undefined,
    certificate: undefined,
  };
  /** The health that the plane has a report of. */
  let reportedHealth = "";
  /** Ends the hold of a poll. */
  let holding: AbortController | undefined;
  const reach = createReachWatch({
    targets: () => plan?.head.targets ?? [],
    intervalMs: settings.reachIntervalMs,
    connectFault: dependencies.connectFault,
    sleep: dependencies.sleep,
    random,
    onChange: () => holding?.abort(),
  });

  const health = (): HealthReport => {
    const fault = own.plan ?? own.certificate;
    return [{ applicationID: undefined, fault }, ...reach.found()].map(
      ({ applicationID, fault: message }) => ({
        ...(applicationID === undefined ? {} : { applicationID }),
        ...(message === undefined
          ? { condition: "SUCCEEDED" as const }
          : { condition: "FAILED" as const, message }),
      }),
    );
  };

  const become = async (next: Identity): Promise<void> => {
    identity = next;
    Object.assign(renewal, { askAt: new Date(0), window: "", failed: 0 });
    const old = connection;
    connection = dependencies.connect({ ca: next.ca, client: next, now });
    await old?.close();
  };

  const pairAgain = async (signal: AbortSignal): Promise<void> => {
    const { connectorUrl, token, runtimeId } = settings;
    if (connectorUrl === undefined || token === undefined)
      throw new TypeError("nothing to pair with");
    const url = new URL(connectorUrl);
    let paired: Identity;
    try {
      paired = await pair(dependencyOfPairing, {
        connectorUrl,
        token,
        findAuthority: () => dependencies.findAuthority(url, signal),
        signal,
      });
    } catch (error) {
      if (error instanceof PlaneError && error.kind === "refused") refusedToken = tokenHash;
      throw error;
    }
    // The plan in place may be another runtime's.
    await planStore.forgetEtag();
    plan = undefined;
    reported = undefined;
    await become(paired);
    own.certificate = undefined;
    log.info(
      { subject: paired.subject, notAfter: paired.notAfter, renewAt: paired.renewAt },
      "paired",
    );
    if (runtimeId !== undefined && !paired.subject.endsWith(`CN=${runtimeId}`)) {
      log.warn(
        { subject: paired.subject, runtimeId },
        "token was for another runtime than the settings name",
      );
    }
  };
  const dependencyOfPairing = { store: identityStore, connect: dependencies.connect, now };

  const renewCertificate = async (current: Identity, signal: AbortSignal): Promise<void> => {
    try {
      const renewed = await renew(dependencyOfPairing, current, connected(), signal);
      await become(renewed);
      own.certificate = undefined;
      log.info({ notAfter: renewed.notAfter, renewAt: renewed.renewAt }, "certificate renewed");
    } catch (error) {
      if (signal.aborted) throw error;
      // The certificate is still good: polls go on meanwhile.
      const fault = describe(error);
      renewal.failed += 1;
      const failure = { inARow: renewal.failed, retryAfterMs: fault.retryAfterMs };
      const again = afterFailedRenewal(now(), current.notAfter, failure, random);
      identity = { ...current, renewAt: again };
      own.certificate = `the certificate could not be renewed: ${fault.message}`;
      log.warn({ ...fault, failed: renewal.failed, again }, "certificate not renewed");
    }
  };

  /** The plane says when to renew. Without its answer the agent's own reckoning stands. */
  const askForWindow = async (current: Identity, signal: AbortSignal): Promise<void> => {
    try {
      const connector = createConnectorClient(connected(), current.connectorUrl, signal);
      const { start, end, retryAfterMs } = await connector.renewal();
      renewal.askAt = askedAgain(now(), retryAfterMs);
      const window = `${start.toISOString()} ${end.toISOString()}`;
      // A renewal that failed is tried again in its own time.
      if (window === renewal.window || renewal.failed > 0) return;
      renewal.window = window;
      identity = { ...current, renewAt: renewalIn({ start, end }, current, now(), random) };
      log.info({ start, end, renewAt: identity.renewAt }, "renewal window told");
    } catch (error) {
      if (signal.aborted) throw error;
      const fault = describe(error);
      renewal.askAt = askedAgain(now(), fault.retryAfterMs ?? LONGEST_MS);
      log.warn({ ...fault, again: renewal.askAt }, "renewal window not told");
    }
  };

  const poll = async (
    current: Identity,
    holdSeconds: number,
    signal: AbortSignal,
  ): Promise<void> => {
    const { origin } = new URL(current.connectorUrl);
    // The first answer after a start tells where the agent stands, and a report is due: neither is waited for.
    const hold = answered && plan?.head.revision === reported ? holdSeconds : 0;
    const asked = now().getTime();
    const answer = await fetchHeld(origin, hold, signal);
    answered = true;
    if (answer.trustBundle !== undefined && answer.trustBundle !== current.trustBundle)
      await followTrust(answer.trustBundle, current, signal);
    const isNew = answer.changed && answer.etag !== plan?.etag;
    if (isNew) {
      await apply(answer.text, answer.etag, (report) =>
        sendStatus(connected(), origin, report, signal),
      );
    } else if (hold > 0 && now().getTime() - asked < SHORTEST_HOLD_MS) {
      // A plane that does not hold, or is about to stop, would else be asked without a pause; and health is not told without one.
      await dependencies.sleep(SHORTEST_HOLD_MS * (1 + random()), signal);
    }
    if (plan === undefined) return;
    const report = reportOn(plan.head, health());
    const found = JSON.stringify(report.health);
    if (plan.head.revision === reported && found === reportedHealth) return;
    await sendStatus(connected(), origin, report, signal);
    if (plan.head.revision !== reported)
      log.info({ revision: plan.head.revision }, "plan reported");
    else log.info({ health: report.health }, "health reported");
    reported = plan.head.revision;
    reportedHealth = found;
  };

  /** Trusts whom the plane names from now on. What fails is tried again with the next poll. */
  const followTrust = async (
    hash: string,
    current: Identity,
    signal: AbortSignal,
  ): Promise<void> => {
    try {
      const taken = await takeTrustBundle(hash, current, connected(), dependencies.connect, {
        now,
        signal,
      });
      await identityStore.save(taken);
      await become({ ...current, ...taken });
      log.info({ trustBundle: hash }, "trust bundle taken");
    } catch (error) {
      if (signal.aborted) throw error;
      log.warn(describe(error), "trust bundle not taken");
    }
  };

  /** Asks for the plan; the hold ends without one when there is health to be reported. */
  const fetchHeld = async (
    origin: string,
    holdSeconds: number,
    signal: AbortSignal,
  ): Promise<PlanAnswer> => {
    const hold = new AbortController();
    const request = {
      etag: plan?.etag,
      trustBundle: identity?.trustBundle,
      holdSeconds,
      signal: AbortSignal.any([signal, hold.signal]),
    };
    holding = holdSeconds > 0 ? hold : undefined;
    try {
      return await fetchPlan(connected(), origin, request);
    } catch (error) {
      if (!hold.signal.aborted || signal.aborted) throw error;
      return { changed: false };
    } finally {
      holding = undefined;
    }
  };

  const apply = async (
    text: string,
    etag: string,
    report: (status: StatusReport) => Promise<void>,
  ): Promise<void> => {
    let head: PlanHead;
    try {
      head = readPlanHead(text);
    } catch (error) {
      throw new PlaneError("invalid", `not a plan: ${(error as Error).message}`);
    }
    try {
      await planStore.save(text, etag);
    } catch (error) {
      const fault = `the plan could not be written: ${(error as NodeJS.ErrnoException).code ?? "unknown fault"}`;
      own.plan = fault;
      await report(reportOn(head, health(), fault));
      throw error;
    }
    own.plan = undefined;
    plan = { etag, head };
    reported = undefined;
    log.info({ revision: head.revision, bytes: text.length }, "plan applied");
  };

  const connected = (): PlaneConnection => {
    if (connection === undefined) throw new TypeError("not connected");
    return connection;
  };

  const perform = async (step: Step, signal: AbortSignal): Promise<void> => {
    if (step.do === "wait") {
      unready = step.why;
      log.error({ why: step.why }, "no usable certificate: start the agent with a new token");
      await dependencies.sleep(LONGEST_MS, signal);
    } else if (step.do === "pair") await pairAgain(signal);
    else if (identity !== undefined) {
      if (step.do === "renew") await renewCertificate(identity, signal);
      else if (step.do === "ask") await askForWindow(identity, signal);
      else await poll(identity, step.holdSeconds, signal);
      unready = undefined;
    }
  };

  return {
    async run(signal) {
      const watching = settings.reachIntervalMs === 0 ? undefined : reach.run(signal);
      const stored = await identityStore.load();
      if (stored !== undefined) await become(stored);
      plan = await planStore.load();
      log.info({ paired: stored !== undefined, revision: plan?.head.revision }, "started");
      for (let attempt = 0; !signal.aborted;) {
        try {
          await perform(
            nextStep({ now: now(), identity, askAt: renewal.askAt, tokenHash, refusedToken }),
            signal,
          );
          attempt = 0;
        } catch (error) {
          if (signal.aborted) break;
          attempt += 1;
          const { kind, message, retryAfterMs } = describe(error);
          unready = message;
          const waitMs = waitAfter({ kind, attempt, retryAfterMs }, random);
          log[kind === "unavailable" ? "warn" : "error"](
            { fault: message, attempt, waitMs },
            FAULT_EVENT[kind],
          );
          await dependencies.sleep(waitMs, signal);
        }
      }
      await watching;
      await connection?.close();
    },
    readiness: () => unready,
  };
}

function describe(error: unknown): {
  kind: FaultKind;
  message: string;
  retryAfterMs: number | undefined;
} {
  if (error instanceof PlaneError) {
    return { kind: error.kind, message: error.message, retryAfterMs: error.retryAfterMs };
  }
  return { kind: "unavailable", message: (error as Error).message, retryAfterMs: undefined };
}

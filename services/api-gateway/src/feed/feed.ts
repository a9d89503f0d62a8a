/** Follows the Registry's change feed: what the gateway holds in memory is right because of it. */
import type { Logger } from "@sextant/logging";
import type { EventType, FeedEvent, Registry } from "@sextant/registry-client";

/** What the feed tells to the parts of the gateway. */
export type FeedListener = {
  /** An event has come. */
  event(event: FeedEvent): void;
  /** Events may have been missed: everything that was derived from them is to be forgotten. */
  startOver(): void;
};

/** The feed as the gateway follows it. */
export type Feed = {
  /** Whether it is followed now. Otherwise nothing in memory may be trusted. */
  isLive(): boolean;
  /** Resolves when it is followed for the first time. */
  readonly started: Promise<void>;
  close(): Promise<void>;
};

const WAIT_SECONDS = 5;
/** The Registry answers in time, or it is not there: what is held in memory is not trusted for longer than that. */
const OVERDUE = 3_000;
const PAUSE = 200;
const followed: EventType[] = [
  "plan.changed",
  "certificate.revoked",
  "api-token.revoked",
  "client.changed",
  "runtime.unregistered",
  "application.unregistered",
  "tenant.changed",
];

/** Follows the feed until it is closed. `registry` must not try again by itself: that it is away has to be known at once. */
export function followFeed(
  registry: Pick<Registry, "watch">,
  listeners: readonly FeedListener[],
  log: Logger,
): Feed {
  const ending = new AbortController();
  let live = false;
  let position: number | null = null;
  let started: () => void = () => undefined;
  const startedOnce = new Promise<void>((resolve) => (started = resolve));

  const follow = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        // The first call, and each after a failure, comes back at once: it says that the feed can be followed.
        const waitSeconds = live ? WAIT_SECONDS : 0;
        const answer = await registry.watch(
          { after: position, types: followed, waitSeconds },
          AbortSignal.any([ending.signal, AbortSignal.timeout(waitSeconds * 1000 + OVERDUE)]),
        );
        if (answer.startOver) for (const listener of listeners) listener.startOver();
        for (const event of answer.events) for (const listener of listeners) listener.event(event);
        ({ position } = answer);
        if (!live) log.info({ position }, "following the change feed");
        live = true;
        started();
      } catch (error) {
        if (ending.signal.aborted) return;
        if (live) log.warn({ err: error }, "the change feed cannot be followed");
        live = false;
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  };

  const following = follow();
  return {
    isLive: () => live,
    started: startedOnce,
    close: () => {
      ending.abort();
      return following;
    },
  };
}

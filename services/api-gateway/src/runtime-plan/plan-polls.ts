/** Agents' polls, answered from memory: no other process is asked until a plan has changed. */
import type { FeedEvent } from "@sextant/registry-client";
import type { Feed, FeedListener } from "../feed/feed.ts";

/** Why a held poll ended. */
export type Wake = "changed" | "time" | "gone" | "ending";

/** The newest plans as the gateway knows them, and the polls that wait for the next. */
export type PlanPolls = FeedListener & {
  /** The entity tag of a runtime's newest plan; undefined when Director must be asked. */
  tag(runtimeID: string): string | undefined;
  /** Takes note of a plan that Director served. An older one than is known changes nothing. */
  learn(runtimeID: string, tag: string): void;
  /** Waits until the plan changes, at most so many milliseconds, or until the client goes away. */
  wait(runtimeID: string, milliseconds: number, signal: AbortSignal): Promise<Wake>;
  /** Polls that are held now. */
  held(): number;
  /** Ends all held polls. */
  close(): void;
};

const revisionOf = (tag: string): number => Number(/^"(\d+)-/.exec(tag)?.[1] ?? -1);

/** Makes it. While the feed is not followed no tag is known. */
export function createPlanPolls(feed: () => Pick<Feed, "isLive">): PlanPolls {
  const tags = new Map<string, string>();
  const waiting = new Map<string, Set<(why: Wake) => void>>();
  let held = 0;
  let closed = false;

  const wake = (runtimeID: string, why: Wake): void => {
    for (const resolve of waiting.get(runtimeID) ?? []) resolve(why);
  };
  const learn = (runtimeID: string, tag: string): void => {
    const known = tags.get(runtimeID);
    if (known === undefined || revisionOf(tag) > revisionOf(known)) tags.set(runtimeID, tag);
  };

  return {
    tag: (runtimeID) => (feed().isLive() ? tags.get(runtimeID) : undefined),
    learn,
    wait(runtimeID, milliseconds, signal) {
      if (closed) return Promise.resolve("ending");
      if (signal.aborted) return Promise.resolve("gone");
      return new Promise((resolve) => {
        const those = waiting.get(runtimeID) ?? new Set();
        waiting.set(runtimeID, those);
        held += 1;
        const end = (why: Wake): void => {
          if (!those.delete(end)) return;
          if (those.size === 0 && waiting.get(runtimeID) === those) waiting.delete(runtimeID);
          held -= 1;
          clearTimeout(timer);
          signal.removeEventListener("abort", gone);
          resolve(why);
        };
        const gone = () => end("gone");
        const timer = setTimeout(() => end("time"), milliseconds);
        signal.addEventListener("abort", gone, { once: true });
        those.add(end);
      });
    },
    held: () => held,
    event(event: FeedEvent) {
      if (event.type === "plan.changed") {
        learn(event.id, `"${String(event.data["revision"])}-${String(event.data["hash"])}"`);
        wake(event.id, "changed");
      }
      // Who holds the poll is asked again: by another certificate it goes on, by the revoked one it ends.
      if (event.type === "certificate.revoked") wake(String(event.data["consumerID"]), "changed");
      if (event.type === "runtime.unregistered") {
        tags.delete(event.id);
        wake(event.id, "changed");
      }
    },
    startOver() {
      tags.clear();
      for (const runtimeID of waiting.keys()) wake(runtimeID, "changed");
    },
    close() {
      closed = true;
      for (const runtimeID of waiting.keys()) wake(runtimeID, "ending");
    },
  };
}

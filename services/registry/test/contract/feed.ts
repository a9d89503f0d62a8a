import { type Step } from "@sextant/registry-client";
import { describe, expect, it } from "vitest";
import type { Given } from "./given.ts";

/** Part of the contract: see contract.test.ts. */
export function describeFeed(given: Given): void {
  const { newID, commitOf, carryOut } = given;
  const types = ["plan.changed"] as const;
  const event = (id: string, data: Record<string, number> = {}): Step => ({
    op: "event",
    type: "plan.changed",
    id,
    data,
  });
  describe("the feed", () => {
    it("tells every event once, in order, from a position on", async () => {
      const tenant = await given.seedTenant();
      const start = await given.gateway.watch({ after: null, types: [...types], waitSeconds: 0 });
      expect(start).toMatchObject({ events: [], startOver: false });
      const ids = Array.from({ length: 30 }, () => newID());
      await Promise.all(
        ids.map((id, place) =>
          carryOut(tenant, [event(id, { place }), event(id, { place: place + 100 })]),
        ),
      );
      const seen: { id: string; position: number; place: unknown }[] = [];
      let after = start.position;
      while (seen.length < 60) {
        const answer = await given.gateway.watch({ after, types: [...types], waitSeconds: 5 });
        expect(answer.position).toBeGreaterThan(after);
        after = answer.position;
        for (const one of answer.events) {
          expect(one).toMatchObject({ tenant, type: "plan.changed" });
          seen.push({ id: one.id, position: one.position, place: one.data["place"] });
        }
      }
      expect(seen.map(({ position }) => position)).toEqual(
        [...new Set(seen.map(({ position }) => position))].toSorted((a, b) => a - b),
      );
      expect(new Set(seen.map(({ id }) => id))).toEqual(new Set(ids));
      // Two events of one commit keep their order.
      for (const id of ids) {
        const [first, second] = seen
          .filter((one) => one.id === id)
          .map(({ place }) => Number(place));
        expect(Number(second) - Number(first)).toBe(100);
      }
      const again = await given.gateway.watch({
        after: start.position,
        types: [...types],
        waitSeconds: 0,
      });
      expect(again.events[0]?.id).toBe(seen[0]?.id);
    });

    it("holds a request until there is something for it, and no longer than it says", async () => {
      const tenant = await given.seedTenant();
      const { position } = await given.gateway.watch({
        after: null,
        types: [...types],
        waitSeconds: 0,
      });
      const held = given.gateway.watch({ after: position, types: [...types], waitSeconds: 20 });
      const id = newID();
      await carryOut(tenant, [{ op: "event", type: "tenant.changed", id: newID(), data: {} }]);
      const began = Date.now();
      await carryOut(tenant, [event(id)]);
      const answer = await held;
      expect(answer.events.map((one) => one.id)).toEqual([id]);
      expect(Date.now() - began).toBeLessThan(2_000);
      const nothing = await given.gateway.watch({
        after: answer.position,
        types: [...types],
        waitSeconds: 1,
      });
      expect(nothing).toMatchObject({ events: [], startOver: false });
    });

    it("tells nothing of a refused commit", async () => {
      const tenant = await given.seedTenant();
      const { position } = await given.gateway.watch({
        after: null,
        types: [...types],
        waitSeconds: 0,
      });
      const [refused, next] = [newID(), newID()];
      await given.director.commit(
        commitOf(tenant, [event(refused), { op: "delete", kind: "runtime", id: newID() }]),
      );
      await carryOut(tenant, [event(next)]);
      const { events } = await given.gateway.watch({
        after: position,
        types: [...types],
        waitSeconds: 5,
      });
      expect(events.map((one) => one.id)).toEqual([next]);
    });

    it("tells a reader from the future to start over", async () => {
      const { position } = await given.gateway.watch({
        after: null,
        types: [...types],
        waitSeconds: 0,
      });
      const answer = await given.gateway.watch({
        after: position + 1_000_000,
        types: [...types],
        waitSeconds: 5,
      });
      expect(answer.startOver).toBe(true);
      expect(answer.position).toBeLessThan(position + 1_000_000);
    });

    it("ends at once when the reader goes", async () => {
      const { position } = await given.gateway.watch({
        after: null,
        types: [...types],
        waitSeconds: 0,
      });
      const gone = new AbortController();
      const held = given.gateway
        .watch({ after: position, types: [...types], waitSeconds: 30 }, gone.signal)
        .catch(() => "gone");
      setTimeout(() => gone.abort(), 50);
      const began = Date.now();
      await held;
      expect(Date.now() - began).toBeLessThan(5_000);
    });
  });
}

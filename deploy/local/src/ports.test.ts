import { expect, it } from "vitest";
import { freePorts } from "./ports.ts";

it("a port that is promised to a listener to come is nobody else's, though nobody listens there yet", async () => {
  const [free = 0] = await freePorts(1);
  expect(await freePorts(1, [], [free, free + 1])).toEqual([free]);
  await expect(freePorts(1, [free], [free, free + 1])).rejects.toThrow("no free ports are left");
});

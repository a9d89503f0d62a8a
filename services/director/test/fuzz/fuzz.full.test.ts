import { it } from "vitest";
import { fuzz, seedOfRun } from "./fuzz.ts";

it("100,000 random operations are answered by the schema, within their tenant, and without a fault", async () => {
  await fuzz(100_000, seedOfRun());
}, 3_600_000);

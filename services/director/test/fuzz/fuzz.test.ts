import { it } from "vitest";
import { fuzz, seedOfRun } from "./fuzz.ts";

it("5,000 random operations are answered by the schema, within their tenant, and without a fault", async () => {
  await fuzz(5_000, seedOfRun());
}, 300_000);

import { expect, it } from "vitest";
import { provisionRuntimeInput, stageAfter, stages } from "./operation.ts";

it("every operation walks through its stages in order and ends", () => {
  for (const [type, list] of Object.entries(stages)) {
    const walked: string[] = [list[0]];
    while (walked.at(-1) !== "done") walked.push(stageAfter(type as never, walked.at(-1) as never));
    expect(walked).toEqual([...list, "done"]);
  }
});

it("parameters are a JSON object, as a value or as text", () => {
  const input = (parameters: unknown) =>
    provisionRuntimeInput.safeParse({ name: "r", driver: "local", parameters });
  expect(input('{"a":1}').data?.parameters).toEqual({ a: 1 });
  expect(input({ a: 1 }).data?.parameters).toEqual({ a: 1 });
  expect(input(undefined).data?.parameters).toEqual({});
  for (const wrong of ["{", "[]", 1, "null"]) expect(input(wrong).success).toBe(false);
});

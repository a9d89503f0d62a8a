import { expect, it } from "vitest";
import { createIDSource, cursorOf, isUUID, readCursor } from "./index.ts";

it("makes ids of version 7 that grow, also within one millisecond and when the clock goes back", () => {
  let now = 1_800_000_000_000;
  const next = createIDSource(() => now);
  const ids = Array.from({ length: 10_000 }, (_, index) => {
    if (index === 5_000) now -= 1_000;
    return next();
  });
  expect(ids.every((id) => isUUID(id) && id[14] === "7" && /[89ab]/.test(id[19] ?? ""))).toBe(true);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});

it("reads its own cursors and no others", () => {
  const id = "0190a6d0-0000-7000-8000-000000000001";
  expect(readCursor(cursorOf(id))).toBe(id);
  for (const wrong of [
    "",
    "x",
    id,
    cursorOf("nonsense"),
    `${cursorOf(id)}=`,
    cursorOf(id).replace("Y", "Z"),
  ]) {
    expect(readCursor(wrong)).toBeUndefined();
  }
});

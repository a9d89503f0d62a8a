import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { chooseConfinement, makerConfinements, serverConfinements } from "./confinement.ts";

const passwd =
  "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nann:x:1000:1000::/home/ann:/bin/sh\n";
const root = { uid: 0, gid: 0, passwd };
const ann = { uid: 1000, gid: 1000, passwd };
const nameless = { uid: 5555, gid: 5555, passwd };

const directories: string[] = [];
function directory(below: string, mode: number): string {
  const made = mkdtempSync(join(below, "sextant-confinement-"));
  chmodSync(made, mode);
  directories.push(made);
  return made;
}
afterAll(() => {
  for (const one of directories) rmSync(one, { recursive: true, force: true });
});

describe("the ways to run PostgreSQL", () => {
  test("never run it as root", () => {
    for (const way of [...serverConfinements(root), ...makerConfinements(root)]) {
      expect(way.prefix.length > 0 || (way.switchTo?.uid ?? 0) > 0).toBe(true);
    }
  });

  test("leave an ordinary user as it is", () => {
    expect(serverConfinements(ann)).toEqual([{ prefix: [] }]);
    expect(makerConfinements(ann)[0]).toEqual({ prefix: [] });
  });

  test("give a user without a name one for making the data, because initdb asks for it", () => {
    expect(serverConfinements(nameless)).toEqual([{ prefix: [] }]);
    expect(makerConfinements(nameless)).toEqual([
      { prefix: ["unshare", "--user", "--"], owner: { uid: 5555, gid: 5555 } },
    ]);
  });

  test("make root's data as nobody, not as somebody who has work on the machine", () => {
    expect(makerConfinements(root)[0]?.switchTo).toEqual({ uid: 65_534, gid: 65_534 });
  });
});

describe.skipIf(process.getuid?.() !== 0)("of the ways that root has", () => {
  const ways = serverConfinements(root);

  test("a user of its own is chosen where it reaches everything", () => {
    expect(chooseConfinement(ways, "/bin/sh", directory(tmpdir(), 0o711))).toBe(ways[0]);
  });

  test("another is chosen below a closed directory", () => {
    const closed = directory(homedir(), 0o700);
    mkdirSync(join(closed, "data"));
    const way = chooseConfinement(ways, "/bin/sh", join(closed, "data"));
    expect(ways.indexOf(way)).toBeGreaterThan(0);
  });

  test("the last one, for containers, passes closed directories as well", () => {
    const closed = directory(homedir(), 0o700);
    chownSync(closed, 65_432, 65_432);
    expect(chooseConfinement(ways.slice(2), "/bin/sh", closed)).toBe(ways[2]);
  });

  test("none is an answer with a remedy", () => {
    expect(() => chooseConfinement([], "/bin/sh", "/nowhere/data")).toThrow(
      /no way to run PostgreSQL/,
    );
  });
});

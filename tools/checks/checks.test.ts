import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import { afterAll, describe, expect, test } from "vitest";

const root = dirname(dirname(import.meta.dirname));
const bin = (name: string): string => join(root, "node_modules", ".bin", name);
const made: string[] = [];

afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

function house(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), "sextant-checks-"));
  made.push(directory);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

/** Lints all files in one run and answers, by file, which of our own rules it broke. */
function lint(files: Record<string, string>): Map<string, string[]> {
  const settings = JSON.parse(readFileSync(join(root, ".oxlintrc.json"), "utf8"));
  const directory = house({
    ...files,
    ".oxlintrc.json": JSON.stringify({
      ...settings,
      $schema: undefined,
      jsPlugins: [join(root, "tools/lint/plugin.ts")],
      // Types need a whole project; the rules of this house do not need types.
      options: {},
    }),
  });
  const run = spawnSync(bin("oxlint"), ["--format", "json"], { cwd: directory, encoding: "utf8" });
  const { diagnostics } = JSON.parse(run.stdout) as {
    diagnostics: { code?: string; message: string; filename: string }[];
  };
  const broken = new Map(Object.keys(files).map((file) => [file, [] as string[]]));
  for (const { code, message, filename } of diagnostics) {
    expect(code, `${filename}: ${message}`).toBeDefined();
    broken.get(filename)?.push(code ?? "");
  }
  return broken;
}

async function cruiseHouse(files: Record<string, string>): Promise<string[]> {
  const installed = Object.fromEntries(
    ["pg", "node-forge", "undici"].flatMap((name) => [
      [`node_modules/${name}/package.json`, JSON.stringify({ name, main: "index.js" })],
      [`node_modules/${name}/index.js`, "module.exports = {};"],
    ]),
  );
  const directory = house({ ...installed, ...files });
  const folders = [...new Set(Object.keys(files).map((path) => path.split("/")[0] ?? path))];
  const { forbidden, options } = createRequire(import.meta.url)(
    join(root, ".dependency-cruiser.cjs"),
  );
  const { output } = await cruise(folders, {
    ...options,
    tsConfig: undefined,
    baseDir: directory,
    validate: true,
    ruleSet: { forbidden },
  });
  return (output as ICruiseResult).summary.violations.map(({ rule }) => rule.name);
}

describe("the linter refuses", () => {
  const longFile = "// line\n".repeat(501);
  const cases: [
    rule: string,
    path: string,
    violation: string,
    allowed: [path: string, source: string],
  ][] = [
    [
      "process-env",
      "services/a/src/app.ts",
      "export const a = process.env.HOME;",
      ["services/a/src/config.ts", "export const a = process.env.HOME;"],
    ],
    [
      "process-env",
      "services/a/src/app.ts",
      'import { env } from "node:process"; export const a = env;',
      ["services/a/src/app.ts", 'import { pid } from "node:process"; export const a = pid;'],
    ],
    [
      "thin-resolvers",
      "services/a/src/b/b.resolvers.ts",
      "export function f(x: number) { if (x) return 1; return 2; }",
      [
        "services/a/src/b/b.service.ts",
        "export function f(x: number) { if (x) return 1; return 2; }",
      ],
    ],
    [
      "thin-resolvers",
      "services/a/src/b/b.resolvers.ts",
      "export function f() { try { return g(); } catch { return 2; } } declare function g(): number;",
      ["services/a/src/b/b.resolvers.ts", "export const f = (): number => 1;"],
    ],
    [
      "named-exports",
      "libs/a/src/b.ts",
      "export default 1;",
      ["libs/a/src/b.ts", "export const b = 1;"],
    ],
    [
      "file-names",
      "libs/a/src/utils.ts",
      "export const b = 1;",
      ["libs/a/src/utility-bill.ts", "export const b = 1;"],
    ],
    [
      "file-names",
      "libs/common/src/b.ts",
      "export const b = 1;",
      ["libs/commonwealth/src/b.ts", "export const b = 1;"],
    ],
    [
      "file-names",
      "libs/a/src/labelStore.ts",
      "export const b = 1;",
      ["libs/a/src/label-store.test.ts", "export const b = 1;"],
    ],
    [
      "stripped-types",
      "libs/a/src/b.ts",
      "export enum B { x }",
      ["libs/a/src/b.ts", 'export type B = "x";'],
    ],
    [
      "stripped-types",
      "libs/a/src/b.ts",
      "export namespace B { export const x = 1; }",
      ["libs/a/src/b.d.ts", 'declare module "b" { export const x: number; }'],
    ],
    [
      "stripped-types",
      "libs/a/src/b.ts",
      "export class B { constructor(readonly x: number) {} }",
      ["libs/a/src/b.ts", "export class B { constructor(x: number) { void x; } }"],
    ],
    [
      "max-lines",
      "libs/a/src/b.ts",
      longFile,
      ["libs/a/src/b.ts", `// long because it is a table\n${longFile}`],
    ],
    ["max-lines", "libs/a/src/b.test.ts", longFile.repeat(2), ["libs/a/src/b.test.ts", longFile]],
    [
      "log-event",
      "libs/a/src/b.ts",
      // oxlint-disable-next-line no-template-curly-in-string -- it is source text
      "log.info(`listening on ${port}`);",
      ["libs/a/src/b.ts", 'log.info({ port }, "listening");'],
    ],
    [
      "log-event",
      "libs/a/src/b.ts",
      'this.log.warn({}, "Something Failed");',
      ["libs/a/src/b.ts", 'this.log.warn({ error }, "delivery failed");'],
    ],
  ];

  // Each case has a folder of its own, so that one run of the linter serves them all.
  const inFolder = (index: number, kind: string, path: string): string =>
    `case-${index}/${kind}/${path}`;
  const broken = lint(
    Object.fromEntries(
      cases.flatMap(([, path, source, [allowedPath, allowed]], index) => [
        [inFolder(index, "violation", path), source],
        [inFolder(index, "allowed", allowedPath), allowed],
      ]),
    ),
  );

  test.each(cases.map((one, index) => ({ title: `${one[0]} in ${one[1]}`, index, one })))(
    "$title",
    ({ index, one: [rule, path, , [allowedPath]] }) => {
      expect(broken.get(inFolder(index, "violation", path))).toContain(`house(${rule})`);
      expect(broken.get(inFolder(index, "allowed", allowedPath))).not.toContain(`house(${rule})`);
    },
  );
});

describe("the architecture refuses", () => {
  const one = "export const one = 1;";
  const cases: [rule: string, files: Record<string, string>, allowed: Record<string, string>][] = [
    [
      "no-cycles",
      { "libs/errors/src/a.ts": 'import "./b.ts";', "libs/errors/src/b.ts": 'import "./a.ts";' },
      { "libs/errors/src/a.ts": 'import "./b.ts";', "libs/errors/src/b.ts": one },
    ],
    [
      "no-unresolved-import",
      { "libs/errors/src/a.ts": 'import "./gone.ts";' },
      { "libs/errors/src/a.ts": 'import "node:fs";' },
    ],
    [
      "lib-identity-imports-only-lower-libs",
      {
        "libs/identity/src/a.ts": 'import "../../service/src/index.ts";',
        "libs/service/src/index.ts": one,
      },
      {
        "libs/service/src/a.ts": 'import "../../identity/src/index.ts";',
        "libs/identity/src/index.ts": one,
      },
    ],
    [
      "lib-x509-imports-only-lower-libs",
      {
        "libs/x509/src/a.ts": 'import "../../config/src/index.ts";',
        "libs/config/src/index.ts": one,
      },
      {
        "libs/x509/src/a.ts": 'import "../../errors/src/index.ts";',
        "libs/errors/src/index.ts": one,
      },
    ],
    [
      "every-lib-has-its-place",
      {
        "services/a/src/a.ts": 'import "../../../libs/new/src/index.ts";',
        "libs/new/src/index.ts": one,
      },
      {
        "services/a/src/a.ts": 'import "../../../libs/x509/src/index.ts";',
        "libs/x509/src/index.ts": one,
      },
    ],
    [
      "libs-import-only-libs",
      {
        "libs/errors/src/a.ts": 'import "../../../services/a/src/b.ts";',
        "services/a/src/b.ts": one,
      },
      {
        "libs/testkit/src/a.ts": 'import "../../../services/a/src/b.ts";',
        "services/a/src/b.ts": one,
      },
    ],
    [
      "services-stand-alone",
      { "services/a/src/a.ts": 'import "../../b/src/b.ts";', "services/b/src/b.ts": one },
      { "services/a/src/a.ts": 'import "./b/b.ts";', "services/a/src/b/b.ts": one },
    ],
    [
      "deploy-starts-processes",
      {
        "deploy/local/src/a.ts": 'import "../../../services/b/src/b.ts";',
        "services/b/src/b.ts": one,
      },
      {
        "deploy/local/src/a.ts": 'import "../../set-up/src/index.ts";',
        "deploy/set-up/src/index.ts": one,
      },
    ],
    [
      "one-door",
      {
        "services/a/src/a.ts": 'import "../../../libs/errors/src/b.ts";',
        "libs/errors/src/b.ts": one,
      },
      {
        "services/a/src/a.ts": 'import "../../../libs/errors/src/index.ts";',
        "libs/errors/src/index.ts": one,
      },
    ],
    [
      "only-the-registry-speaks-to-the-database",
      { "services/director/src/a.repository.ts": 'import "pg";' },
      { "services/registry/src/label/label.repository.ts": 'import "pg";' },
    ],
    [
      "only-the-registry-speaks-to-the-database",
      { "services/registry/src/label/label.service.ts": 'import "pg";' },
      { "services/registry/src/database/pool.ts": 'import "pg";' },
    ],
    [
      "only-x509-imports-node-forge",
      { "libs/identity/src/a.ts": 'import "node-forge";' },
      { "libs/x509/src/a.ts": 'import "node-forge";' },
    ],
    [
      "resolvers-import-services-never-clients",
      {
        "services/a/src/b/b.resolvers.ts":
          'import "../../../../libs/registry-client/src/index.ts";',
        "libs/registry-client/src/index.ts": one,
      },
      {
        "services/a/src/b/b.resolvers.ts": 'import "./b.service.ts";',
        "services/a/src/b/b.service.ts": one,
      },
    ],
    [
      "read-declarations-import-no-service",
      {
        "services/a/src/b/b.read.ts": 'import "./b.service.ts";',
        "services/a/src/b/b.service.ts": one,
      },
      { "services/a/src/b/b.read.ts": 'import "./b.ts";', "services/a/src/b/b.ts": one },
    ],
    [
      "nouns-import-no-transport",
      { "services/director/src/label/label.ts": 'import "node:http";' },
      { "services/director/src/label/label.ts": 'import "node:crypto";' },
    ],
    [
      "nouns-import-no-transport",
      { "services/director/src/label/label.ts": 'import "undici";' },
      { "services/director/src/label/label.delivery.ts": 'import "undici";' },
    ],
    [
      "testkit-is-for-tests",
      {
        "services/a/src/a.ts": 'import "../../../libs/testkit/src/index.ts";',
        "libs/testkit/src/index.ts": one,
      },
      {
        "services/a/src/a.test.ts": 'import "../../../libs/testkit/src/index.ts";',
        "libs/testkit/src/index.ts": one,
      },
    ],
    [
      "nothing-imports-a-test",
      { "libs/errors/src/a.ts": 'import "./b.test.ts";', "libs/errors/src/b.test.ts": one },
      { "libs/errors/src/a.ts": 'import "./b.ts";', "libs/errors/src/b.ts": one },
    ],
  ];

  test.each(cases.map((one) => ({ title: `${one[0]} in ${Object.keys(one[1])[0]}`, one })))(
    "$title",
    async ({ one: [rule, files, allowed] }) => {
      expect(await cruiseHouse(files)).toContain(rule);
      expect(await cruiseHouse(allowed)).not.toContain(rule);
    },
  );

  test("nothing that is not tried here", () => {
    const { forbidden } = createRequire(import.meta.url)(join(root, ".dependency-cruiser.cjs"));
    const names = (forbidden as { name: string }[]).map(({ name }) => name);
    const tried = new Set(cases.map(([rule]) => rule));
    expect(names.filter((name) => !name.startsWith("lib-") && !tried.has(name))).toEqual([]);
  });
});

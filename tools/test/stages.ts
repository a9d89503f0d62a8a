import { join } from "node:path";
import { ROOT } from "./root.ts";

/** One step of `npm test`: a check that passes or fails as a whole, or a run of tests that counts each of them. */
export interface Stage {
  readonly name: string;
  readonly title: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether the command is vitest, whose report counts the tests. */
  readonly counts: boolean;
}

/** What the command line asks for. */
export interface Wanted {
  readonly filters: readonly string[];
  readonly full: boolean;
  readonly help: boolean;
}

/** Shown by `npm test -- --help`. */
export const HELP = `npm test                     every check and test that needs no Docker
npm test -- <stage> …        only these stages: format lint types architecture unused generated unit service story docker
npm test -- <part of path> … only the tests whose path has one of these parts
npm run test:full            also what takes long (*.full.test.ts)

The last line counts every check once and every test: N passed, N failed`;

const bin = (name: string): string => join(ROOT, "node_modules", ".bin", name);
const compilerState = "node_modules/.cache/tsc.tsbuildinfo";
const source = ["libs", "services", "agents", "deploy", "e2e", "bench", "tools"];

const check = (name: string, title: string, program: string, words: string): Stage => ({
  name,
  title,
  command: [program, ...words.split(" ")],
  counts: false,
});

const checks: readonly Stage[] = [
  check("format", "formatting", bin("oxfmt"), "--check"),
  check("lint", "lint", bin("oxlint"), "--deny-warnings"),
  check(
    "types",
    "types",
    bin("tsc"),
    `--noEmit --project tsconfig.json --incremental --tsBuildInfoFile ${compilerState}`,
  ),
  check(
    "architecture",
    "architecture rules",
    bin("depcruise"),
    `--config .dependency-cruiser.cjs --output-type err-long ${source.join(" ")}`,
  ),
  check(
    "unused",
    "unused files, exports, dependencies",
    bin("knip"),
    "--no-progress --no-config-hints",
  ),
  check("generated", "generated files", process.execPath, "tools/generate.ts --check"),
];

const tests = ({ filters, full }: Wanted, title: string, ...projects: string[]): Stage => ({
  name: projects.join("-"),
  title,
  command: [
    bin("vitest"),
    "run",
    ...projects.flatMap((project) => ["--project", project]),
    "--passWithNoTests",
    ...filters,
  ],
  environment: full ? { SEXTANT_TEST_FULL: "1" } : {},
  counts: true,
});

/** Sorts the words of the command line. */
export function readArguments(words: readonly string[]): Wanted {
  return {
    filters: words.filter((word) => !word.startsWith("--")),
    full: words.includes("--full"),
    help: words.includes("--help"),
  };
}

/** The stages that the command line asks for, in the order in which they run: quick ones first. */
export function chooseStages(wanted: Wanted): Stage[] {
  const unfiltered = { ...wanted, filters: [] };
  const all = [
    ...checks,
    tests(unfiltered, "unit and use-case tests", "unit"),
    tests(unfiltered, "service tests", "service"),
    tests(unfiltered, "story tests", "story"),
    tests(unfiltered, "story tests over containers", "docker"),
  ];
  if (wanted.filters.length === 0) return all.filter(({ name }) => name !== "docker");
  const named = all.filter(({ name }) => wanted.filters.includes(name));
  if (named.length === new Set(wanted.filters).size) return named;
  return [tests(wanted, "chosen tests", "unit", "service", "story")];
}

/** What the pages below docs say about the code is so, and their links lead somewhere. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ERROR_CODES, HTTP_STATUS } from "@sextant/errors";
import { limitSettings } from "@sextant/graphql";
import { type DefinitionNode, Kind, parse } from "graphql";
import { expect, test } from "vitest";

const root = dirname(dirname(import.meta.dirname));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Rows of the tables in a page, cells without their code marks. */
const rowsOf = (markdown: string): string[][] =>
  markdown
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", "")),
    );

test("the page on the API has every error code, with its numbers", () => {
  const told = rowsOf(read("docs/api/README.md")).filter(([name = ""]) => name in ERROR_CODES);
  const are = Object.entries(ERROR_CODES).map(([code, number]) => [
    code,
    String(number),
    String(HTTP_STATUS[code as keyof typeof HTTP_STATUS]),
  ]);
  expect(told.map((row) => row.slice(0, 3))).toEqual(are);
});

test.each(["docs/api/README.md", "docs/operations/settings.md"])(
  "%s has every limit of an operation, with its default",
  (page) => {
    const told = rowsOf(read(page)).filter(([name = ""]) => name.startsWith("SEXTANT_MAX_"));
    const are = Object.entries(limitSettings).map(([name, setting]) => [
      name,
      String(setting.parse(undefined)),
    ]);
    expect(Object.fromEntries(told.map(([name, value]) => [name, value]))).toEqual(
      Object.fromEntries(are),
    );
  },
);

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

/** The anchors of a page's headings, as GitHub makes them: of equal ones the second and later are numbered. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const times = new Map<string, number>();
  const anchors = [...markdown.matchAll(/^#{1,6} (.+)$/gm)].map(([, title = ""]) => {
    const bare = title.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "");
    const anchor = bare.replaceAll(" ", "-");
    const before = times.get(anchor) ?? 0;
    times.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
  return new Set(anchors);
}

test.each(pages)("the links of %s lead somewhere", (page) => {
  const text = read(page).replaceAll(/^```[\s\S]*?^```/gm, "");
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  const broken = links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : join(dirname(page), path);
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && target.endsWith(".md") && !anchorsOf(read(target)).has(anchor);
  });
  expect(broken).toEqual([]);
});

test("every page of a story is in the list of stories", () => {
  const index = read("docs/api/README.md");
  const stories = readdirSync(join(root, "docs/api/stories"));
  expect(stories.filter((name) => !index.includes(`(stories/${name})`))).toEqual([]);
});

/** Names that a published definition has of its own, as the reference shows them. */
function namesIn(node: DefinitionNode): readonly string[] {
  if (!("name" in node) || node.name === undefined) return [];
  if (node.kind === Kind.DIRECTIVE_DEFINITION) return [];
  const parts = [
    ...("fields" in node ? (node.fields ?? []) : []),
    ...("values" in node ? (node.values ?? []) : []),
  ];
  const inputs = parts.flatMap((part) =>
    "arguments" in part
      ? part.arguments?.flatMap((one) => ("type" in one ? [one.name.value] : []))
      : [],
  );
  const own = /^(?:Query|Mutation)$/.test(node.name.value) ? [] : [node.name.value];
  return [...own, ...parts.map(({ name }) => name.value), ...inputs.map(String)];
}

test.each(["director", "connector", "runtime-provisioner"])(
  "the reference has every name that %s publishes",
  (service) => {
    const pages = readdirSync(join(root, "docs/api/reference")).map((name) =>
      read(`docs/api/reference/${name}`),
    );
    const words = new Set(pages.flatMap((page) => page.match(/\w+/g) ?? []));
    const { definitions } = parse(read(`schema/${service}.graphql`));
    const names = new Set(definitions.flatMap(namesIn));
    expect(names.size).toBeGreaterThan(20);
    expect([...names].filter((name) => !words.has(name))).toEqual([]);
  },
);

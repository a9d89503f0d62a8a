/** The reference of the API as pages: one for each noun, made of the published SDL. */
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import {
  type DefinitionNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
  parse,
  print,
  type TypeNode,
} from "graphql";
import type { Generator } from "./generator.ts";

const subgraphs = [
  ["director", "Director", "/director/graphql"],
  ["connector", "Connector", "/connector/graphql"],
  ["runtime-provisioner", "Runtime Provisioner", "/provisioner/graphql"],
] as const;
type Service = (typeof subgraphs)[number];

const folder = "docs/api/reference";
const roots = new Set(["Query", "Mutation"]);

type Operation = {
  readonly kind: "Query" | "Mutation";
  readonly service: Service;
  readonly field: FieldDefinitionNode;
};
type Named = {
  readonly service: Service;
  readonly name: string;
  readonly node: DefinitionNode;
  /** Whether another service declares the type: here is what this one adds to it. */
  readonly further: boolean;
};
type Page = { readonly operations: Operation[]; readonly types: Named[] };

/** Which noun's file declares each operation and type of a service. */
function nounsOf(root: string, service: string): ReadonlyMap<string, string> {
  const source = join(root, "services", service, "src");
  const files = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".graphql") && !name.includes("node_modules"))
    .map((name) => join(source, name));
  const nouns = new Map<string, string>();
  for (const file of [join(root, "libs/graphql/src/page.graphql"), ...files]) {
    const noun = basename(file, ".graphql");
    for (const node of parse(readFileSync(file, "utf8")).definitions) {
      if (!("name" in node) || node.name === undefined) continue;
      if (!roots.has(node.name.value)) nouns.set(node.name.value, noun);
      else if ("fields" in node)
        for (const field of node.fields ?? [])
          nouns.set(`${node.name.value}.${field.name.value}`, noun);
    }
  }
  return nouns;
}

/** All pages by noun. Throws for a published name that no noun's file declares. */
function pagesOf(root: string): ReadonlyMap<string, Page> {
  const pages = new Map<string, Page>();
  const seen = new Set<string>();
  for (const service of subgraphs) {
    const nouns = nounsOf(root, service[0]);
    const pageFor = (name: string): Page => {
      const noun = nouns.get(name);
      if (noun === undefined) throw new Error(`no file of ${service[0]} declares ${name}`);
      const page = pages.get(noun) ?? { operations: [], types: [] };
      pages.set(noun, page);
      return page;
    };
    const sdl = readFileSync(join(root, "schema", `${service[0]}.graphql`), "utf8");
    for (const node of parse(sdl, { noLocation: true }).definitions) {
      if (!("name" in node) || node.name === undefined) continue;
      const name = node.name.value;
      if (name === "Query" || name === "Mutation") {
        if (!("fields" in node)) continue;
        for (const field of node.fields ?? [])
          if (field.kind === Kind.FIELD_DEFINITION)
            pageFor(`${name}.${field.name.value}`).operations.push({ kind: name, service, field });
        continue;
      }
      if (node.kind === Kind.DIRECTIVE_DEFINITION) continue;
      const further = seen.has(name);
      const isExtended = node.kind === Kind.OBJECT_TYPE_DEFINITION && name !== "PageInfo";
      if (further && !isExtended) continue;
      seen.add(name);
      pageFor(name).types.push({ service, name, node, further });
    }
  }
  return pages;
}

const sentence = (noun: string): string => {
  const words = noun.replaceAll("-", " ").replace(/\bapi\b/, "API");
  return words.charAt(0).toUpperCase() + words.slice(1);
};
const anchor = (title: string): string => title.toLowerCase().replaceAll(/[^a-z0-9 _-]/g, "");
const cell = (text: string): string => text.replaceAll(/\s+/g, " ").trim().replaceAll("|", "\\|");
const meaning = (node: { readonly description?: { readonly value: string } | undefined }): string =>
  cell(node.description?.value ?? "");

/** Writes the pages with links between them. */
class Writer {
  /** Where each type is described. */
  readonly #homes = new Map<string, string>();

  constructor(pages: ReadonlyMap<string, Page>) {
    for (const [noun, { operations, types }] of pages) {
      const taken = new Set(operations.map(({ field }) => anchor(field.name.value)));
      for (const { name, further } of types) {
        // A type `Application` comes behind the query `application`: the second of two equal headings is numbered.
        const own = taken.has(anchor(name)) ? `${anchor(name)}-1` : anchor(name);
        if (!further) this.#homes.set(name, `${noun}.md#${own}`);
      }
    }
  }

  #type(type: TypeNode): string {
    let inner = type;
    while (inner.kind !== Kind.NAMED_TYPE) inner = inner.type;
    const home = this.#homes.get(inner.name.value);
    const text = `\`${print(type)}\``;
    return home === undefined ? text : `[${text}](${home})`;
  }

  #value(node: InputValueDefinitionNode): string {
    const initial =
      node.defaultValue === undefined ? "" : ` Default: \`${print(node.defaultValue)}\`.`;
    return `${meaning(node)}${initial}`;
  }

  #table(
    head: string,
    rows: readonly (FieldDefinitionNode | InputValueDefinitionNode)[],
  ): string[] {
    const lines = rows.map((node) => {
      const isField = node.kind === Kind.FIELD_DEFINITION;
      const inputs = isField ? (node.arguments ?? []) : [];
      const listed = inputs.map(
        (one) => `<br>\`${one.name.value}\`: ${this.#type(one.type)} ${this.#value(one)}`,
      );
      const deprecated = node.directives?.some(({ name }) => name.value === "deprecated")
        ? " **Deprecated.**"
        : "";
      const text = isField ? meaning(node) : this.#value(node);
      return `| \`${node.name.value}\` | ${this.#type(node.type)} | ${text}${deprecated}${listed.join("")} |`;
    });
    return [`| ${head} | type | meaning |`, "| --- | --- | --- |", ...lines, ""];
  }

  #operation({ field, service }: Operation): string[] {
    const inputs = (field.arguments ?? []).map(
      ({ name, type, defaultValue }) =>
        `${name.value}: ${print(type)}${defaultValue === undefined ? "" : ` = ${print(defaultValue)}`}`,
    );
    const list = inputs.length === 0 ? "" : `(${inputs.join(", ")})`;
    return [
      `### ${field.name.value}`,
      "",
      "```graphql",
      `${field.name.value}${list}: ${print(field.type)}`,
      "```",
      "",
      meaning(field),
      "",
      `Answers ${this.#type(field.type)}; served by ${service[1]}.`,
      "",
      ...(inputs.length === 0 ? [] : this.#table("argument", field.arguments ?? [])),
    ];
  }

  #named({ name, node, further, service }: Named): string[] {
    const described = "description" in node ? meaning(node) : "";
    const title = further ? `${name}, further fields` : name;
    const lines = [`### ${title}`, ""];
    const kind = (word: string): string[] => [`*${word}.* ${described}`, ""];
    switch (node.kind) {
      case Kind.SCALAR_TYPE_DEFINITION:
        return [...lines, ...kind("Scalar")];
      case Kind.UNION_TYPE_DEFINITION:
        return [
          ...lines,
          ...kind("Union"),
          `One of ${(node.types ?? []).map((type) => this.#type(type)).join(", ")}.`,
          "",
        ];
      case Kind.ENUM_TYPE_DEFINITION:
        return [
          ...lines,
          ...kind("Enum"),
          "| value | meaning |",
          "| --- | --- |",
          ...(node.values ?? []).map((value) => `| \`${value.name.value}\` | ${meaning(value)} |`),
          "",
        ];
      case Kind.INPUT_OBJECT_TYPE_DEFINITION:
        return [...lines, ...kind("Input"), ...this.#table("field", node.fields ?? [])];
      case Kind.INTERFACE_TYPE_DEFINITION:
        return [...lines, ...kind("Interface"), ...this.#table("field", node.fields ?? [])];
      case Kind.OBJECT_TYPE_DEFINITION: {
        const fields = node.fields ?? [];
        if (further) {
          const home = this.#homes.get(name) ?? "";
          return [
            ...lines,
            `What the ${service[1]} adds to [\`${name}\`](${home}), in the supergraph and in its own graph.`,
            "",
            ...this.#table(
              "field",
              fields.filter((field) => field.name.value !== "id"),
            ),
          ];
        }
        const interfaces = (node.interfaces ?? []).map((type) => this.#type(type)).join(", ");
        const implemented = interfaces === "" ? [] : [`Implements ${interfaces}.`, ""];
        return [...lines, ...kind("Type"), ...implemented, ...this.#table("field", fields)];
      }
      default:
        throw new Error(`${name} is of a kind that the reference does not know: ${node.kind}`);
    }
  }

  page(noun: string, { operations, types }: Page): string {
    const section = (kind: Operation["kind"], title: string): string[] => {
      const chosen = operations.filter((operation) => operation.kind === kind);
      return chosen.length === 0
        ? []
        : [`## ${title}`, "", ...chosen.flatMap((one) => this.#operation(one))];
    };
    const described =
      types.length === 0 ? [] : ["## Types", "", ...types.flatMap((one) => this.#named(one))];
    return [
      `# ${sentence(noun)}`,
      "",
      "Made from `schema/` by `npm run generate`: change the descriptions in the service's SDL. [All pages](README.md)",
      "",
      ...section("Query", "Queries"),
      ...section("Mutation", "Mutations"),
      ...described,
    ]
      .join("\n")
      .replace(/\n+$/, "\n");
  }
}

function indexOf(pages: ReadonlyMap<string, Page>): string {
  const nouns = [...pages.keys()].toSorted();
  const rows = subgraphs.flatMap(([name, title, path]) => {
    const own = nouns.flatMap((noun) => {
      const { operations = [], types = [] } = pages.get(noun) ?? {};
      const link = (text: string): string => `[\`${text}\`](${noun}.md#${anchor(text)})`;
      const of = (kind: Operation["kind"]): string =>
        operations
          .filter((one) => one.kind === kind && one.service[0] === name)
          .map(({ field }) => link(field.name.value))
          .join(" ");
      const isHere = [...operations, ...types].some(({ service }) => service[0] === name);
      if (!isHere) return [];
      const row = `| [${sentence(noun)}](${noun}.md) | ${of("Query")} | ${of("Mutation")} |`;
      return [row];
    });
    return [
      `## ${title}: \`${path}\``,
      "",
      "| noun | queries | mutations |",
      "| --- | --- | --- |",
      ...own,
      "",
    ];
  });
  return [
    "# Reference",
    "",
    "Every query, mutation, type, input, enum and scalar, made from the published SDL in `schema/` by `npm run generate`. `POST /graphql` serves all of it as",
    "one graph; each service also serves its own part alone. What holds for all of it is on [the page above](../README.md).",
    "",
    ...rows,
  ]
    .join("\n")
    .replace(/\n+$/, "\n");
}

/** Runs behind the generator of the SDL, which it reads. */
export const referenceGenerator: Generator = {
  name: "the reference of the API",
  owns: [folder],
  make: async (root) => {
    const pages = pagesOf(root);
    const writer = new Writer(pages);
    const files: Record<string, string> = { [`${folder}/README.md`]: indexOf(pages) };
    for (const [noun, page] of pages) files[`${folder}/${noun}.md`] = writer.page(noun, page);
    return files;
  },
};

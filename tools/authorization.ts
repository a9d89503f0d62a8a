/** The page that says who may do what: the services' authorization tables as one. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { loadSubgraph } from "@sextant/graphql";
import {
  type AccessRule,
  type AccessRules,
  fixedScopes,
  type OutsideType,
  type Reach,
  scopesFor,
} from "@sextant/identity";
import type { Generator } from "./generator.ts";

const services = [
  ["director", "Director"],
  ["connector", "Connector"],
  ["runtime-provisioner", "Runtime Provisioner"],
] as const;

const callers: readonly (readonly [OutsideType, string])[] = [
  ["USER", "user"],
  ["INTEGRATION_SYSTEM", "integration system"],
  ["APPLICATION", "application"],
  ["RUNTIME", "runtime"],
  ["ONE_TIME_TOKEN", "one-time token"],
];

const words: Readonly<Record<Reach, string>> = {
  all: "all",
  group: "its group",
  own: "own",
  hidden: "none",
  forbidden: "–",
};

const head = `# Who may do what

Made of the authorization tables in \`services/*/src/access/rules.ts\` by \`npm run generate\`. Tests carry out every operation as
every type of caller, on its own objects, those of its group, others of the tenant and those of another tenant, and compare what happens with
this page.

Two things decide. **Scopes** come with a user's token; those of the other callers are fixed, and an access token may have fewer of
them (INSUFFICIENT_SCOPES when one is missing). **Objects**: which of the tenant's objects the operation reaches.

| word | reaches | what else happens |
| --- | --- | --- |
| all | every object of the tenant; of an operation without an object: it may be carried out | |
| its group | its own, and those of applications or runtimes that it shares a group with | NOT_FOUND, or absent from lists |
| own | itself and what belongs to it | NOT_FOUND, or absent from lists |
| none | nothing, as if there were none | NOT_FOUND, null or an empty list |
| – | the operation is not for this caller | FORBIDDEN or INSUFFICIENT_SCOPES |

An object of another tenant is NOT_FOUND to everybody. Of tenants themselves a user reaches those that its token is for. An
integration system acts like an admin in its own tenant and in those granted to it; it manages neither
tenants, grants, tokens and other integration systems, nor sees the audit trail. Fields that show secrets may need more than their operation:
their descriptions in the schema say so.

`;

const fixed = (type: OutsideType): string => {
  const scopes = fixedScopes(type) ?? [];
  return scopes.length === 0 ? "none" : scopes.map((scope) => `\`${scope}\``).join(", ");
};

function cell(rule: AccessRule, type: OutsideType): string {
  const held = fixedScopes(type);
  const may = held === undefined || scopesFor(rule, type).every((scope) => held.includes(scope));
  return may ? words[rule.reach[type]] : "–";
}

function scopesCell(rule: AccessRule): string {
  const list = (scopes: readonly string[]) =>
    scopes.length === 0 ? "none" : scopes.map((scope) => `\`${scope}\``).join(", ");
  const others = Object.entries(rule.scopesOf ?? {}).map(
    ([type, scopes]) => `; ${callers.find(([one]) => one === type)?.[1] ?? type}: ${list(scopes)}`,
  );
  return list(rule.scopes) + others.join("");
}

/** Published so that a change of who may do what shows in review. */
export const authorizationGenerator: Generator = {
  name: "the authorization table",
  owns: [],
  make: async (root) => {
    let page = head;
    page += "| caller | scopes that come with its credential |\n| --- | --- |\n";
    for (const [type, name] of callers.slice(1)) page += `| ${name} | ${fixed(type)} |\n`;
    for (const [service, title] of services) {
      const folder = join(root, "services", service, "src");
      const { rules } = (await import(pathToFileURL(join(folder, "access/rules.ts")).href)) as {
        rules: AccessRules;
      };
      const { schema } = loadSubgraph(folder);
      const queries = schema.getQueryType()?.getFields() ?? {};
      const operations = { ...queries, ...schema.getMutationType()?.getFields() };
      const missing = Object.keys(operations).filter(
        (name) => !name.startsWith("_") && rules[name] === undefined,
      );
      const gone = Object.keys(rules).filter((name) => operations[name] === undefined);
      if (missing.length > 0 || gone.length > 0) {
        throw new Error(
          `services/${service}/src/access/rules.ts has no rule for ${missing.join(", ") || "nothing"}, and rules for what is not there: ${gone.join(", ") || "none"}`,
        );
      }
      page += `\n## ${title}\n\n| operation | scopes | ${callers.map(([, name]) => name).join(" | ")} |\n| --- | --- |${" --- |".repeat(callers.length)}\n`;
      for (const [name, rule] of Object.entries(rules)) {
        const kind = queries[name] === undefined ? "mutation" : "query";
        const cells = callers.map(([type]) => cell(rule, type)).join(" | ");
        page += `| ${kind} \`${name}\` | ${scopesCell(rule)} | ${cells} |\n`;
      }
    }
    return { "docs/api/authorization.md": page };
  },
};

/** Values for arguments and inputs: good ones, and what a client should never send. */
import {
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
} from "graphql";
import type { World } from "../world.ts";
import type { Dice } from "./dice.ts";

/** A literal that is no JSON value: the name of an enum's value. */
export class EnumName {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Texts that storage, JSON, SQL or a person could misread. */
const oddTexts = [
  "",
  " ",
  "a\u0000b",
  "\ud800",
  "\udfff\ud800",
  "e\u0301",
  "\u202egnirts\u202c",
  "\u200b\ufeff",
  "😀".repeat(10),
  "\u{10ffff}",
  "a\r\n\tb",
  "\u0085\u2028\u2029",
  "İıſK",
  "'; drop table application; --",
  "$1",
  "%s%n",
  "\\",
  '"',
  "{{name}}",
  "${x}",
  "__proto__",
  "constructor",
  "null",
  "-1",
  "x".repeat(3_000),
  "a".repeat(101),
  "../../etc/passwd",
  '$[*] ? (@ == "x")',
  "$[*] ? (@ ==",
  "$.**",
  '["x"]',
  "{",
] as const;

const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { k: value };
  return value;
};

/** Whom values are made for: what there is of the caller's tenant, and of the other one. */
export type Known = {
  readonly mine: World;
  readonly theirs: World;
};

const textIDs = (world: World): readonly string[] => Object.values(world);
const uuid = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;
const ids = (world: World): readonly string[] => textIDs(world).filter((id) => uuid.test(id));

/** What arguments of these names name. */
const named: Readonly<Record<string, keyof World>> = {
  integrationSystemID: "system",
  appID: "application",
  tenantID: "tenant",
  selectorKey: "selectorKey",
  selectorValue: "selectorValue",
  groupName: "assignment",
  templateName: "templateName",
};

/** What of the caller's a name means: the longest kind that it begins with. */
function meantBy(name: string, { mine }: Known): string | undefined {
  const key = named[name];
  if (key !== undefined) return mine[key];
  const kinds = Object.keys(mine).filter((kind) =>
    name.toLowerCase().startsWith(kind.toLowerCase()),
  );
  const kind = kinds.toSorted((a, b) => b.length - a.length)[0];
  return kind === undefined ? undefined : mine[kind as keyof World];
}

function id(dice: Dice, known: Known, name: string): string {
  const meant = meantBy(name, known);
  if (meant !== undefined && !dice.odd(40)) return meant;
  return dice.weighted<() => string>([
    [6, () => dice.pick(ids(known.mine))],
    [3, () => dice.pick(ids(known.theirs))],
    [1, () => dice.pick(ids(known.mine)).toUpperCase()],
    [1, () => "00000000-0000-0000-0000-000000000000"],
    [1, () => dice.pick(oddTexts)],
  ])();
}

const cursorOf = (of: string): string => Buffer.from(`after:${of}`).toString("base64");

function cursor(dice: Dice, known: Known): string {
  const good = cursorOf(dice.pick(ids(known.mine)));
  if (!dice.wild) return good;
  return dice.weighted<() => string>([
    [4, () => good],
    [2, () => cursorOf(dice.pick(ids(known.theirs)))],
    [1, () => good.slice(1)],
    [1, () => `${good}=`],
    [1, () => cursorOf("after:")],
    [1, () => ""],
    [1, () => dice.pick(oddTexts)],
  ])();
}

function json(dice: Dice, depth = 0): unknown {
  if (!dice.wild) return dice.pick<unknown>([1, "text", true, null, ["a", "b"], { a: { b: [1] } }]);
  return dice.weighted<() => unknown>([
    [3, () => dice.pick(oddTexts)],
    [3, () => dice.pick([0, 1, -1, 1.5, 1e308, 2 ** 53, -0, true, false, null])],
    [depth < 3 ? 2 : 0, () => dice.some(4, () => json(dice, depth + 1))],
    [
      depth < 3 ? 2 : 0,
      () => Object.fromEntries(dice.some(4, () => [dice.pick(keys), json(dice, depth + 1)])),
    ],
    [depth === 0 ? 1 : 0, () => deep(dice.pick([99, 101, 250, 1_000]))],
  ])();
}

const keys = [
  "group",
  "a",
  "A_1",
  "runtime_eventServiceUrl",
  "a-b",
  "",
  "ключ",
  "__proto__",
  "x".repeat(300),
  "type",
  "$ref",
] as const;

function labels(dice: Dice): unknown {
  return Object.fromEntries(
    dice.some(4, () => {
      const key = dice.wild ? dice.pick(keys) : dice.pick(["group", "a", "A_1"]);
      if (key !== "group" || dice.odd(40)) return [key, json(dice)];
      return [key, dice.wild ? dice.some(3, () => dice.pick(["shared", "g", ""])) : ["shared"]];
    }),
  );
}

const contents = [
  "openapi: 3.0.0\ninfo: { title: x, version: '1' }\npaths: {}",
  '{"openapi":"3.0.0","info":{"title":"x","version":"1"},"paths":{}}',
  '<?xml version="1.0"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"/>',
  "asyncapi: 2.0.0\ninfo: { title: x, version: '1' }\nchannels: {}",
  "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]",
  '<!DOCTYPE x [<!ENTITY a "xx"><!ENTITY b "&a;&a;">]><x>&b;</x>',
  '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
  "{".repeat(5_000),
  "- ".repeat(2_000),
  "%YAML 9.9\n---\n!!js/function 'x'",
  "",
  "plain text",
] as const;

const urls = [
  "https://x.example",
  "https://x.example/a?b=c",
  "http://127.0.0.1/",
  "http://169.254.169.254/latest",
  "ftp://x",
  "https://user:pass@x.example",
  "not a url",
  `https://x.example/${"x".repeat(300)}`,
] as const;

function text(dice: Dice, name: string, known: Known): string {
  const meant = meantBy(name, known);
  if (meant !== undefined && !dice.odd(40)) return meant;
  if (name === "key" && !dice.odd(40))
    return dice.pick([known.mine.labelDefinition, known.mine.selectorKey, "a", "A_1"]);
  if (name === "scopes" && !dice.odd(20)) return dice.pick(["runtime:read", "application:read"]);
  if (!dice.wild) {
    if (/url/i.test(name)) return dice.pick(urls.slice(0, 2));
    if (name === "value") return "1.0.0";
    return `name-${dice.upTo(1_000_000)}`;
  }
  if (/url/i.test(name) && dice.chance(80)) return dice.pick(urls);
  if (/version|value/i.test(name) && dice.chance(50)) return dice.pick(["1.0.0", "1", "v2"]);
  if (/key/i.test(name) && dice.chance(70)) return dice.pick(keys);
  if (/query/i.test(name) && dice.chance(70))
    return dice.pick([
      '["shared"]',
      '$[*] ? (@ == "shared")',
      '$[*] ? (@ == "a" || @ == "b")',
      "1",
      "{",
      "nul",
    ]);
  return dice.chance(60) ? `name-${dice.upTo(1_000)}` : dice.pick(oddTexts);
}

function scalar(type: string, name: string, dice: Dice, known: Known): unknown {
  switch (type) {
    case "ID":
      return id(dice, known, name);
    case "String":
      return name.endsWith("ID") ? id(dice, known, name) : text(dice, name, known);
    case "Int":
      if (!dice.wild) return dice.pick([1, 2, 3, 10]);
      return dice.pick([1, 2, 3, 10, 200, 0, -1, 201, 2 ** 31 - 1, 2 ** 31, 1.5, "1", null]);
    case "Boolean":
      if (!dice.wild) return dice.chance(50);
      return dice.pick([true, false, true, false, null, "true", 1]);
    case "PageCursor":
      return cursor(dice, known);
    case "CLOB":
      return dice.wild ? dice.pick(contents) : "text";
    case "Labels":
      return dice.odd(10) ? json(dice) : labels(dice);
    case "Timestamp":
      if (!dice.wild) return "2030-01-01T00:00:00Z";
      return dice.pick(["2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "yesterday", "", 1]);
    case "_Any":
      if (dice.odd(40)) return json(dice);
      return dice.pick([
        { __typename: "Application", id: id(dice, known, "application") },
        { __typename: "Runtime", id: id(dice, known, "runtime") },
      ]);
    case "JSONSchema":
      if (!dice.wild) return dice.pick<unknown>([true, {}]);
      return dice.pick<unknown>([
        { type: "object" },
        true,
        '{"type":"array"}',
        { type: "nonsense" },
        { $ref: "#" },
        { $async: true },
        { pattern: "(a+)+$" },
        "{",
      ]);
    case "HttpHeaders":
    case "QueryParams":
      if (!dice.wild) return { "x-a": ["b"] };
      return dice.pick<unknown>([{ "x-a": ["b"] }, { "bad name": ["x"] }, { a: "b" }, [], "{}"]);
    default:
      return json(dice);
  }
}

const basic = { username: "user", password: "password" };
/** Inputs whose fields depend on each other. */
const sound: Readonly<Record<string, (known: Known, dice: Dice) => unknown>> = {
  AuthInput: () => ({ credential: { basic } }),
  CredentialDataInput: () => ({ basic }),
  APISpecInput: (_known, dice) => ({
    type: new EnumName("OPEN_API"),
    format: new EnumName("YAML"),
    ...(dice.chance(50) ? { data: contents[0] } : { fetchRequest: { url: urls[0] } }),
  }),
  EventSpecInput: (_known, dice) => ({
    type: new EnumName("ASYNC_API"),
    format: new EnumName("YAML"),
    ...(dice.chance(50) ? { data: contents[3] } : { fetchRequest: { url: urls[0] } }),
  }),
  WebhookInput: () => ({ type: new EnumName("CONFIGURATION_CHANGED"), url: urls[0] }),
  ApplicationTemplateInput: (_known, dice) => ({
    name: `made-${dice.upTo(1_000_000)}`,
    accessLevel: new EnumName("GLOBAL"),
    applicationInput: { name: "from-template" },
  }),
  ApplicationFromTemplateInput: ({ mine }) => ({ templateName: mine.templateName }),
  LabelSelectorInput: ({ mine }) => ({ key: mine.selectorKey, value: mine.selectorValue }),
  BundleInstanceAuthSetInput: () => ({ auth: { credential: { basic } } }),
};

/** A value of an input type; now and then one that is wrong. */
export function valueOf(
  type: GraphQLInputType,
  name: string,
  dice: Dice,
  known: Known,
  depth = 0,
): unknown {
  if (dice.odd(2)) return dice.pick<unknown>([null, 7, "wrong", [], {}, [[1]], true]);
  if (isNonNullType(type)) return valueOf(type.ofType, name, dice, known, depth);
  if (isListType(type)) {
    if (dice.odd(10)) return valueOf(type.ofType, name, dice, known, depth);
    const one = () => valueOf(type.ofType, name, dice, known, depth);
    return dice.wild ? dice.some(3, one) : [one()];
  }
  if (isEnumType(type)) {
    const value = dice.odd(5) ? "NOT_A_VALUE" : dice.pick(type.getValues()).name;
    return new EnumName(value);
  }
  if (isInputObjectType(type)) {
    const whole = sound[type.name];
    if (whole !== undefined && !dice.odd(60)) return whole(known, dice);
    const given: Record<string, unknown> = {};
    for (const field of Object.values(type.getFields())) {
      const isLeftOut = isRequiredInputField(field)
        ? dice.odd(2)
        : !dice.chance(depth > 3 ? 10 : 40);
      if (!isLeftOut) given[field.name] = valueOf(field.type, field.name, dice, known, depth + 1);
    }
    if (dice.odd(2)) given["unknownField"] = 1;
    return given;
  }
  return scalar(type.name, name, dice, known);
}

/** A value as GraphQL writes it in a document. */
export function literal(value: unknown): string {
  if (value instanceof EnumName) return value.name;
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value)
      .filter(([key]) => /^[_A-Za-z][_0-9A-Za-z]*$/.test(key))
      .map(([key, one]) => `${key}: ${literal(one)}`);
    return `{${fields.join(", ")}}`;
  }
  return value === undefined ? "null" : JSON.stringify(value);
}

/** A value as JSON has it. */
export function plain(value: unknown): unknown {
  if (value instanceof EnumName) return value.name;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

/** How deep a value is nested: what is too deep for a document goes as a variable. */
export function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null || value instanceof EnumName) return 0;
  let [depth, level]: [number, readonly unknown[]] = [0, [value]];
  while (level.length > 0 && depth < 1_000) {
    level = level.flatMap((one) =>
      typeof one === "object" && one !== null ? Object.values(one) : [],
    );
    depth += 1;
  }
  return depth;
}

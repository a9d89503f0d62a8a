/**
 * Distinguished names. The text form is one line, in the order in which the name is encoded:
 * `O=…,OU=…,L=…,ST=…,C=…,CN=…`, with the escapes of RFC 4514. Each attribute occurs at most once, so that two names are
 * equal exactly when their canonical texts are.
 */
import { oid, printableString, sequence, setOf, TAG, utf8String } from "./der.ts";
import { OID } from "./oid.ts";
import { readOid, type DerNode } from "./reader.ts";

/** Short name of an attribute that a subject may have. */
export type AttributeType = "O" | "OU" | "L" | "ST" | "C" | "CN";

/** One attribute of a name. */
export type NameAttribute = { readonly type: AttributeType; readonly value: string };

type AttributeRule = { readonly type: AttributeType; readonly oid: string; readonly max: number };

// The upper bounds of RFC 5280 appendix A.1. The order here is the canonical one.
const ATTRIBUTES: readonly AttributeRule[] = [
  { type: "O", oid: OID.organizationName, max: 64 },
  { type: "OU", oid: OID.organizationalUnitName, max: 64 },
  { type: "L", oid: OID.localityName, max: 128 },
  { type: "ST", oid: OID.stateOrProvinceName, max: 128 },
  { type: "C", oid: OID.countryName, max: 2 },
  { type: "CN", oid: OID.commonName, max: 64 },
];

/** The text is not a subject, or the subject is not one that is accepted here. The message says why. */
export class NameError extends Error {
  override readonly name = "NameError";
}

/** Reads the text form. Throws {@link NameError}. */
export function parseSubject(text: string): NameAttribute[] {
  const attributes: NameAttribute[] = [];
  let at = 0;
  for (;;) {
    const head = /^(O|OU|L|ST|C|CN)=/.exec(text.slice(at, at + 3));
    const type = head?.[1];
    if (head === null || type === undefined)
      throw new NameError(`expected O=, OU=, L=, ST=, C= or CN= at character ${at + 1}`);
    const { value, end } = readValue(text, at + head[0].length);
    attributes.push({ type: type as AttributeType, value });
    if (end === text.length) break;
    at = end + 1;
  }
  checkAttributes(attributes);
  return attributes;
}

function readValue(text: string, start: number): { value: string; end: number } {
  let value = "";
  let at = start;
  for (; at < text.length && text.charAt(at) !== ","; at += 1) {
    let char = text.charAt(at);
    if (char === "\\") {
      at += 1;
      char = text.charAt(at);
      if (char === "" || !SPECIAL.test(char))
        throw new NameError(`wrong escape at character ${at}`);
    } else if (
      char !== "=" &&
      char !== " " &&
      SPECIAL.test(char) &&
      (char !== "#" || at === start)
    ) {
      throw new NameError(`${char} needs a backslash before it (character ${at + 1})`);
    }
    value += char;
  }
  return { value, end: at };
}

// What RFC 4514 lets stand behind a backslash. Hexadecimal pairs are not used: no control character is accepted anyway.
const SPECIAL = /[ "#+,;<=>\\]/;

/** Writes the text form. Throws {@link NameError} when an attribute breaks the rules. */
export function formatSubject(attributes: readonly NameAttribute[]): string {
  checkAttributes(attributes);
  return attributes.map(({ type, value }) => `${type}=${escapeValue(value)}`).join(",");
}

function escapeValue(value: string): string {
  return value.replaceAll(/[",+;<>\\]|^#/g, String.raw`\$&`);
}

/** The same attributes in the order O, OU, L, ST, C, CN. */
export function canonicalOrder(attributes: readonly NameAttribute[]): NameAttribute[] {
  return ATTRIBUTES.flatMap(({ type }) =>
    attributes.filter((attribute) => attribute.type === type),
  );
}

function checkAttributes(attributes: readonly NameAttribute[]): void {
  if (attributes.length === 0) throw new NameError("the subject is empty");
  const seen = new Set<string>();
  for (const { type, value } of attributes) {
    if (seen.has(type)) throw new NameError(`${type} occurs twice`);
    seen.add(type);
    const fault = valueFault(ruleOf(type), value);
    if (fault !== undefined) throw new NameError(`${type} ${fault}`);
  }
}

function valueFault({ type, max }: AttributeRule, value: string): string | undefined {
  if (value === "") return "is empty";
  // Directory matching ignores such spaces, so two different texts would be the same name.
  if (value !== value.trim()) return "begins or ends with white space";
  if (type === "C")
    return /^[A-Za-z]{2}$/.test(value) ? undefined : "is not a country code of two letters";
  // RFC 5280 counts characters, not UTF-16 units.
  if ([...value].length > max) return `is longer than ${max} characters`;
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not be in a name
  if (/[\u0000-\u001f\u007f-\u009f]/.test(value)) return "has control characters";
  return value.isWellFormed() ? undefined : "is not well-formed Unicode";
}

function ruleOf(type: AttributeType): AttributeRule {
  const rule = ATTRIBUTES.find((candidate) => candidate.type === type);
  if (rule === undefined) throw new NameError(`${String(type)} is not an attribute of a subject`);
  return rule;
}

/** DER of a name: one attribute in each relative name. */
export function encodeName(attributes: readonly NameAttribute[]): Buffer {
  checkAttributes(attributes);
  return sequence(
    ...attributes.map(({ type, value }) =>
      setOf(
        sequence(oid(ruleOf(type).oid), type === "C" ? printableString(value) : utf8String(value)),
      ),
    ),
  );
}

/** Attributes of a name that was read as DER. Throws {@link NameError} for what is not accepted here. */
export function decodeName(node: DerNode): NameAttribute[] {
  if (node.tag !== TAG.sequence) throw new NameError("is not a name");
  const attributes = node.children.map((relative) => {
    const [pair, more] = relative.children;
    if (relative.tag !== TAG.set || pair === undefined || pair.tag !== TAG.sequence)
      throw new NameError("is not a name");
    if (more !== undefined) throw new NameError("joins several attributes in one relative name");
    return decodeAttribute(pair);
  });
  checkAttributes(attributes);
  return attributes;
}

function decodeAttribute(pair: DerNode): NameAttribute {
  const [id, value, more] = pair.children;
  if (id?.tag !== TAG.oid || value === undefined || more !== undefined)
    throw new NameError("is not a name");
  const dotted = readOid(id);
  const rule = ATTRIBUTES.find((candidate) => candidate.oid === dotted);
  if (rule === undefined)
    throw new NameError(`has the attribute ${dotted}, which is not used here`);
  const stringTypes: readonly number[] = [TAG.utf8String, TAG.printableString];
  if (!stringTypes.includes(value.tag))
    throw new NameError(`${rule.type} is neither UTF8String nor PrintableString`);
  return { type: rule.type, value: value.value.toString("utf8") };
}

/** Answers above a threshold go out compressed, to who says that it can read that (RFC 9110, 12.5.3). */
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Call, Reply } from "@sextant/service";

type Coding = "br" | "gzip";

const compressors: Readonly<Record<Coding, (body: string | Buffer) => Promise<Buffer>>> = {
  // More work gains little on JSON: the levels at which both are about as fast as the network.
  br: (body) =>
    promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: (body) => promisify(gzip)(body, { level: 4 }),
};

const isText = /^(?:text\/|application\/(?:json|graphql-response\+json|x-pem-file))/;

/** The coding that a client prefers of those that are made here; undefined: none. */
export function acceptedCoding(header: string | string[] | undefined): Coding | undefined {
  if (header === undefined) return undefined;
  const text = Array.isArray(header) ? header.join(",") : header;
  const quality = new Map<string, number>();
  for (const part of text.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((one) => one.trim());
    const said = parameters.find((parameter) => parameter.startsWith("q="));
    quality.set(name, said === undefined ? 1 : Number(said.slice(2)));
  }
  const of = (coding: Coding): number => quality.get(coding) ?? quality.get("*") ?? 0;
  const best: Coding = of("br") >= of("gzip") ? "br" : "gzip";
  return of(best) > 0 ? best : undefined;
}

/** Compresses replies whose body has at least so many bytes. What is left as it is answered at once. */
export function createCompression(threshold: number) {
  const compressed = async (
    call: Pick<Call, "headers">,
    reply: Reply,
    body: string | Buffer,
  ): Promise<Reply> => {
    const { headers = {} } = reply;
    if (!isText.test(headers["content-type"] ?? "") || headers["content-encoding"] !== undefined)
      return reply;
    const vary = [headers["vary"], "accept-encoding"].filter(Boolean).join(", ");
    const coding = acceptedCoding(call.headers["accept-encoding"]);
    if (coding === undefined) return { ...reply, headers: { ...headers, vary } };
    const { etag } = headers;
    // The bytes are others than those that a strong tag stands for (RFC 9110, 8.8.3.3).
    const tag: Record<string, string> =
      etag === undefined || etag.startsWith("W/") ? {} : { etag: `W/${etag}` };
    return {
      ...reply,
      headers: { ...headers, ...tag, vary, "content-encoding": coding },
      body: await compressors[coding](body),
    };
  };
  return (call: Pick<Call, "headers">, reply: Reply): Promise<Reply> | Reply =>
    reply.body === undefined || reply.body.length < threshold
      ? reply
      : compressed(call, reply, reply.body);
}

/** See {@link createCompression}. */
export type Compression = ReturnType<typeof createCompression>;

import type { Call, Reply } from "@sextant/service";
import { gzipSync } from "node:zlib";

const intro = `# Sextant's API. Put your token below, under "Headers":
#   { "Authorization": "Bearer sxt_..." }

query Overview {
  viewer { id type }
  applications(first: 10) { totalCount data { id name labels status { condition } } }
  runtimes(first: 10) { totalCount data { id name labels online status { condition } } }
}
`;

/** Serves a GraphQL explorer whole: it loads nothing from elsewhere. It is made when it is first asked for. */
export function createExplorer(): (call: Call) => Promise<Reply> {
  let page: { readonly plain: Buffer; readonly zipped: Buffer } | undefined;
  return async (call) => {
    if (page === undefined) {
      const { renderGraphiQL } = await import("@graphql-yoga/render-graphiql");
      const html = renderGraphiQL({
        title: "Sextant",
        endpoint: "/graphql",
        defaultQuery: intro,
        headerEditorEnabled: true,
      } as never);
      const plain = Buffer.from(html);
      page = { plain, zipped: gzipSync(plain) };
    }
    const zips = (call.headers["accept-encoding"] ?? "").includes("gzip");
    return {
      status: 200,
      headers: {
        "content-type": "text/html; charset=utf-8",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        ...(zips ? { "content-encoding": "gzip" } : {}),
      },
      body: zips ? page.zipped : page.plain,
    };
  };
}

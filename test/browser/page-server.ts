import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Serves one page on an origin of its own: an ephemeral port of 127.0.0.1. */
export class PageServer implements AsyncDisposable {
  readonly #server = createServer();
  /** For what the page asks beside itself, such as upgrades. */
  readonly server = this.#server;
  port = 0;

  /** `program` is a file beside this one, bundled as a page's own tools would do it; without one the page is empty. */
  static async open(program?: string, answer: RequestListener = notFound): Promise<PageServer> {
    const scripts = program === undefined ? new Map([["/page.js", ""]]) : await bundlePage(program);
    const html = `<!doctype html><meta charset="utf-8"><title>Test page</title><script type="module" src="/page.js"></script>`;
    const page = new PageServer();
    page.#server.on("request", (request, response) => {
      const script = scripts.get(request.url ?? "");
      if (request.url === "/") response.setHeader("content-type", "text/html").end(html);
      else if (script !== undefined) response.setHeader("content-type", "text/javascript").end(script);
      else answer(request, response);
    });
    await new Promise<void>((listening) => page.#server.listen(0, "127.0.0.1", listening));
    page.port = (page.#server.address() as AddressInfo).port;
    return page;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}

/** The page's program and the browser entries of the packages, from their sources, by path; split where they load parts later. */
async function bundlePage(program: string): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({
    entryPoints: { page: fileURLToPath(new URL(`pages/${program}`, import.meta.url)) },
    bundle: true,
    splitting: true,
    outdir: "/",
    platform: "browser",
    format: "esm",
    conditions: ["browser", "@daemon-sdk/source"],
    write: false,
    logLevel: "silent",
  });
  return new Map(outputFiles.map(({ path, text }) => [path, text]));
}

const notFound: RequestListener = (_, response) => {
  response.writeHead(404).end();
};

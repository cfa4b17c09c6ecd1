import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CERTIFICATE_FILE, ConnectProxy, TlsServer } from "../../../../test/support/tls-server.js";
import { acceptWebSocket } from "../../src/index.js";

let directory: string;
let server: TlsServer;
let proxy: ConnectProxy;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "proxy-"));
  // One program has the optional package, the other one is where nobody installed it.
  await Promise.all([bundle("with.mjs", []), bundle("without.mjs", ["https-proxy-agent"])]);
  server = await TlsServer.open(async (request, socket, head) => {
    const transport = await acceptWebSocket(request, socket, head);
    transport.onMessage = (text) => transport.send(`${text} over TLS`);
  });
  proxy = await ConnectProxy.open();
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

test("HTTPS_PROXY leads a link of wss: through the proxy, with TLS to the server itself", async () => {
  expect(await dialed("with.mjs", { HTTPS_PROXY: proxy.url() })).toBe("hello over TLS");
  expect(proxy.log.splice(0)).toEqual([`daemon.test:${server.port}`]);
});

test("a proxy that refuses is CONNECTION_FAILED, and the text does not hold the password", async () => {
  const text = await dialed("with.mjs", { HTTPS_PROXY: proxy.url("wrong") });
  expect(text).toMatch(/^CONNECTION_FAILED: .*407/);
  expect(text).not.toContain("wrong");
  expect(proxy.log.splice(0)).toEqual(["refused"]);
});

test("without the package for it, a proxy of the environment is no reason to go past it", async () => {
  const text = await dialed("without.mjs", { HTTPS_PROXY: proxy.url() });
  expect(text).toMatch(/^INVALID_OPTION: Option `HTTPS_PROXY` .*https-proxy-agent/);
  expect(text).not.toContain("word");
  expect(proxy.log).toEqual([]);
});

async function bundle(name: string, external: string[]): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, "dial-program.ts")],
    outfile: join(directory, name),
    bundle: true,
    platform: "node",
    format: "esm",
    conditions: ["@daemon-sdk/source"],
    external,
    // What is bundled of others is CommonJS.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "error",
  });
}

async function dialed(program: string, variables: NodeJS.ProcessEnv): Promise<string> {
  const env = { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: CERTIFICATE_FILE, ...variables };
  const { stdout } = await promisify(execFile)(process.execPath, [join(directory, program), server.url], { env });
  return stdout.trim();
}

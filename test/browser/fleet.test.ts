import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFleetKeys, enrol } from "../../packages/fleet/src/enrol.js";
import { FleetBench } from "../../packages/fleet/test/support/fleet-bench.js";
import { freePort, HAS_NATS, NatsServer, NO_NATS } from "../../packages/fleet/test/support/nats-server.js";
import { describeInChromium } from "./chromium.js";
import { PageServer } from "./page-server.js";
import type { FleetPage } from "./pages/fleet-page.js";

declare const page: FleetPage;

describeInChromium(`A page in Chromium, with a fleet${NO_NATS}`, (browser) => {
  let site: PageServer;
  beforeAll(async () => {
    site = await PageServer.open("fleet-page.ts");
  });
  afterAll(() => site[Symbol.asyncDispose]());

  test.skipIf(!HAS_NATS)("reaches its machines over NATS' WebSocket, with the credentials of a service", async () => {
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), "fleet-page-"));
    const { serverConfig, enrolmentKey } = await createFleetKeys("acme", directory);
    const websocket = `websocket { listen: "127.0.0.1:${port}", no_tls: true, allowed_origins: ["${site.origin}"] }`;
    await using server = await NatsServer.start(`${serverConfig}\n${websocket}`);
    await using bench = new FleetBench(server.url, "acme");
    const machine = await enrol(enrolmentKey, { machineId: "m-1" });
    await bench.machine("m-1", { credentials: machine.credentials });
    const { credentials } = await enrol(enrolmentKey, { client: "page" });
    const tab = await browser().newPage();
    await tab.goto(site.origin);
    const seen = await tab.evaluate(([options, cwd]) => page.run(options, "hello", cwd), [
      { servers: `ws://127.0.0.1:${port}`, tenant: "acme", credentials },
      bench.directory,
    ] as const);
    await tab.close();
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
    expect(seen).toEqual({
      machines: [{ machineId: "m-1", state: "online" }],
      answer: "Echo: hello",
      sessions: ["m-1"],
      missing: [],
    });
  });
});

import type { RequestListener } from "node:http";
import type { Duplex } from "node:stream";
import { joinTransports, type Transport } from "@daemon-sdk/protocol";
import { transportContract } from "@daemon-sdk/testing";
import { acceptWebSocket } from "@daemon-sdk/transport-ws";
import { expect, test } from "vitest";
import { describeInChromium } from "./chromium.js";
import { PageServer } from "./page-server.js";
import type { CaseResult } from "./pages/contract-page.js";

const bounds = { highWaterBytes: 256 * 1024, maxMessageBytes: 1024 * 1024 };

describeInChromium("WebSockets of a page in Chromium", (browser) => {
  test("keep the transport contract, every case of it", { timeout: 120_000 }, async () => {
    await using server = await joiningServer();
    const page = await browser().newPage();
    await page.goto(server.origin);
    const results = await page.evaluate(
      ({ highWaterBytes, maxMessageBytes }) =>
        (globalThis as unknown as ContractPage).runContract(highWaterBytes, maxMessageBytes),
      bounds,
    );
    await page.close();
    expect(results.filter(({ fault }) => fault !== undefined)).toEqual([]);
    expect(results.map(({ id }) => id)).toEqual(transportContract.map(({ id }) => id));
  });
});

interface ContractPage {
  runContract(highWaterBytes: number, maxMessageBytes: number): Promise<CaseResult[]>;
}

/** Joins the two WebSockets of one link, `/<link>/near` and `/<link>/far`, and cuts both at `POST /cut/<link>`. */
async function joiningServer(): Promise<PageServer> {
  const waiting = new Map<string, Transport>();
  const sockets = new Map<string, Duplex[]>();
  const cut: RequestListener = ({ url = "" }, response) => {
    for (const socket of sockets.get(url.split("/")[2] ?? "") ?? []) socket.destroy();
    response.end();
  };
  const page = await PageServer.open("contract-page.ts", cut);
  page.server.on("upgrade", async (request, socket, head) => {
    const link = request.url?.split("/")[1] ?? "";
    sockets.set(link, [...(sockets.get(link) ?? []), socket]);
    const transport = await acceptWebSocket(request, socket, head, bounds);
    const other = waiting.get(link);
    if (other === undefined) waiting.set(link, transport);
    else joinTransports(other, transport);
  });
  return page;
}

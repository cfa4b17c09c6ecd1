import { afterAll, beforeAll, expect, test } from "vitest";
import { openCuttableLink } from "../support/cuttable-link.js";
import { describeInChromium } from "./chromium.js";
import type { ClientPage } from "./pages/client-page.js";
import { openTicketSite, type TicketSite } from "./ticket-site.js";

declare const page: ClientPage;

describeInChromium("A page in Chromium whose socket was cut", (browser) => {
  let site: TicketSite;
  beforeAll(async () => {
    site = await openTicketSite();
  });
  afterAll(() => site[Symbol.asyncDispose]());

  test("goes on streaming where it was, each event once, on a fresh ticket", async () => {
    const link = await openCuttableLink(site.daemon.socketPath);
    const context = await browser().newContext();
    const tab = await context.newPage();
    await tab.goto(site.origin);
    await tab.evaluate((url) => page.connect(url), `ws://127.0.0.1:${link.port}`);
    const answer = tab.evaluate((cwd) => page.ask("count 60 every 20", cwd), site.daemon.workspace);
    await tab.waitForFunction(() => page.deltas.length >= 10);
    link.cut();
    const { text, fault } = await answer;
    const deltas = await tab.evaluate(() => page.deltas);
    const statuses = await tab.evaluate(() => page.statuses);
    await context.close();
    await link.close();

    expect(fault).toBeUndefined();
    expect(statuses).toEqual(["connected", "reconnecting", "connected"]);
    expect(deltas.join("")).toBe(text);
    expect(text).toMatch(/\b60\b/);
    expect(new Set(site.tickets).size).toBe(2);
  });
});

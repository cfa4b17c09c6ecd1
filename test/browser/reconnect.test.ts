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
    // Coming back needs nothing of the page's own server but the ticket.
    await context.route("**/*.js", (route) => route.abort());
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

  test("says so when the half of the client that it loads while it dials cannot be had, and connects when it can", async () => {
    const context = await browser().newContext();
    const tab = await context.newPage();
    await tab.goto(site.origin);
    await context.route("**/api-*.js", (route) => route.abort());
    const fault = await tab.evaluate((url) => page.connect(url).catch((error) => error.code), site.daemon.url);
    await context.unroute("**/api-*.js");
    await tab.reload();
    await tab.evaluate((url) => page.connect(url), site.daemon.url);
    const answer = await tab.evaluate((cwd) => page.ask("say Hello, page.", cwd), site.daemon.workspace);
    await context.close();

    expect(fault).toBe("CONNECTION_FAILED");
    expect(answer).toMatchObject({ text: "Hello, page." });
  });
});

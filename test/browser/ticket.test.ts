import { connectDaemon } from "@daemon-sdk/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeInChromium } from "./chromium.js";
import type { ClientPage } from "./pages/client-page.js";
import { openTicketSite, type TicketSite } from "./ticket-site.js";

declare const page: ClientPage;

describeInChromium("A page in Chromium, with a real daemon", (browser) => {
  let site: TicketSite;
  beforeAll(async () => {
    site = await openTicketSite();
  });
  afterAll(() => site[Symbol.asyncDispose]());

  test("connects with a one-time ticket and streams; no lasting secret is in the page, its URLs or its messages", async () => {
    const context = await browser().newContext();
    const tab = await context.newPage();
    const urls: string[] = [];
    const bodies: string[] = [];
    tab.on("request", (request) => urls.push(request.url()));
    tab.on("response", (response) => void response.text().then((text) => bodies.push(text)));
    tab.on("websocket", (socket) => {
      urls.push(socket.url());
      socket.on("framesent", ({ payload }) => bodies.push(String(payload)));
      socket.on("framereceived", ({ payload }) => bodies.push(String(payload)));
    });
    await tab.goto(site.origin);
    await tab.evaluate((url) => page.connect(url), site.daemon.url);
    const answer = await tab.evaluate((cwd) => page.ask("say Hello, page.", cwd), site.daemon.workspace);
    await tab.evaluate(() => page.close());
    const kept = await tab.evaluate(() => document.documentElement.outerHTML + JSON.stringify(localStorage) + location);
    await context.close();

    expect(answer).toMatchObject({ text: "Hello, page." });
    expect(answer.types).toContain("assistant_text_delta");
    expect(answer.types.at(-1)).toBe("result");
    expect(site.tickets).toHaveLength(1);
    const [ticket = ""] = site.tickets;
    // Once from its server, once to the daemon.
    expect(bodies.filter((text) => text.includes(ticket))).toHaveLength(2);
    expect(urls).toContain(`${site.daemon.url}/`);
    expect(urls.filter((url) => url.includes(ticket))).toEqual([]);
    expect([...urls, ...bodies, kept].filter((text) => text.includes(site.daemon.token))).toEqual([]);
  });

  test("finds a ticket that somebody has used to be worth nothing", async () => {
    const ticket = await site.createTicket();
    await (await connectDaemon({ url: site.daemon.url, ticket })).close();
    const again = connectDaemon({ url: site.daemon.url, ticket });
    await expect(again).rejects.toMatchObject({ code: "AUTH_REJECTED" });
  });
});

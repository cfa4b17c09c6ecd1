import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page, WebSocketRoute } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCuttableLink } from "../support/cuttable-link.js";
import { ROOT } from "../support/packages.js";
import { axeScript, findings } from "./axe.js";
import { describeInChromium } from "./chromium.js";
import { ask, beginSession, type ConsoleSite, openConsoleSite } from "./console-site.js";

/** Set it to make the pictures of docs/console.md anew. */
const { UPDATE_SCREENSHOT } = process.env;
const IMAGES = join(ROOT, "docs", "images");
const SHOWN = readFile(join(ROOT, "docs", "console.md"), "utf8");

/** Makes a picture that the docs show. */
async function picture(tab: Page, name: string): Promise<void> {
  if (!UPDATE_SCREENSHOT || !(await SHOWN).includes(`console-${name}.png`)) return;
  mkdirSync(IMAGES, { recursive: true });
  await tab.screenshot({ path: join(IMAGES, `console-${name}.png`), animations: "disabled", caret: "hide" });
}

describeInChromium("The console in Chromium", (browser) => {
  let site: ConsoleSite;
  beforeAll(async () => {
    site = await openConsoleSite(browser());
  });
  afterAll(() => site[Symbol.asyncDispose]());

  test("opens by a link that works once; a reload goes on, and nothing lasting is left in the browser", async () => {
    await using page = await site.open();
    const { tab } = page;
    expect(new URL(tab.url()).hash).toBe("");
    await tab.reload();
    await tab.getByRole("heading", { name: "Sessions" }).waitFor();
    const kept = await tab.evaluate(() => ({
      cookies: document.cookie,
      local: Object.keys(localStorage),
      tab: Object.keys(sessionStorage),
    }));
    expect(kept).toEqual({ cookies: "", local: ["daemon-sdk.console.theme"], tab: ["daemon-sdk.console.tab"] });
    expect(page.faults).toEqual([]);

    const used = await site.link();
    const first = await browser().newPage();
    await first.goto(used);
    await first.getByRole("heading", { name: "Sessions" }).waitFor();
    const second = await (await browser().newContext()).newPage();
    await second.goto(used);
    await second.getByRole("heading", { name: "This tab has no access" }).waitFor();
    await picture(second, "no-access");
    await second.context().close();
    await first.close();
  });

  test("shows what an agent does, live, and runs nothing of what it wrote", async () => {
    await using page = await site.open();
    const { tab } = page;
    await beginSession(tab, site.directories.api);
    await ask(tab, "Report what is wrong with the server.");
    await tab.getByText(/^Done · /).waitFor();
    const transcript = tab.getByRole("region", { name: "Transcript" });
    await transcript.getByRole("columnheader", { name: "before" }).waitFor();
    await transcript.getByRole("group", { name: "Diff, 2 lines added, 1 removed" }).waitFor();
    await transcript.getByText('<img src=x onerror="globalThis.broken = true">').waitFor();
    expect(await transcript.locator("img").count()).toBe(0);
    expect(
      await transcript.locator("a").evaluateAll((links) => links.map((link) => link.getAttribute("href"))),
    ).toEqual(["https://nodejs.org/api/http.html"]);
    await picture(tab, "session");

    // By mouse: what is folded is opened, and closed again.
    const tool = tab.getByText("npm test -- server", { exact: true });
    await tool.click();
    await tab.getByText("✓ server answers (12 ms)").waitFor();
    await tool.click();
    await tab.getByText(/^Thought for 2\.3 s/).click();
    expect(await tab.getByText("then look for what listens").last().isVisible()).toBe(true);
    expect(page.faults).toEqual([]);
  });

  test("asks for permission with the difference, and queues and interrupts", async () => {
    await using page = await site.open();
    const { tab } = page;
    await beginSession(tab, site.directories.site);
    await ask(tab, "Edit the server: loopback only.");
    const question = tab.getByRole("article", { name: "Change server.ts" });
    await question.getByText("server.requestTimeout = 30_000;").waitFor();
    await picture(tab, "permission");
    await question.getByRole("button", { name: "Yes, once" }).click();
    await tab.getByText("Done: the server listens on loopback only.").waitFor();
    expect(await question.count()).toBe(0);

    await ask(tab, "slow");
    await tab.getByText(/word 3 /).waitFor();
    await ask(tab, "Then say this.");
    await tab.getByText("Queued").waitFor();
    await picture(tab, "queue");
    await tab.getByRole("button", { name: "Interrupt" }).click();
    // The prompt that waited is discarded with the turn.
    await expect.poll(() => tab.getByText(/^Interrupted · /).count()).toBe(2);
    expect(page.faults).toEqual([]);
  });

  test("is used by keyboard alone", async () => {
    await using page = await site.open({ viewport: { width: 390, height: 844 } });
    const { tab } = page;
    const { keyboard } = tab;
    const reach = async (name: RegExp | string): Promise<void> => {
      for (let presses = 0; presses < 40; presses++) {
        const label = await tab.evaluate(() => {
          const at = document.activeElement;
          return at?.getAttribute("aria-label") ?? at?.textContent?.trim() ?? "";
        });
        if (typeof name === "string" ? label === name : name.test(label)) return;
        await keyboard.press("Tab");
      }
      throw new Error(`Tab does not lead to ${name}.`);
    };
    await keyboard.press("Control+k");
    await keyboard.type("report");
    await tab.getByRole("link", { name: /Report/ }).waitFor();
    await reach(/^Report/);
    await keyboard.press("Enter");
    await reach("Message");
    await keyboard.type("Pick where the uploads go.");
    await keyboard.press("Enter");
    await tab.getByRole("article", { name: "A question for you" }).waitFor();
    await reach(/^Inbox/);
    await keyboard.press("Enter");
    const question = tab.getByRole("article", { name: "A question for you" });
    await question.waitFor();
    await tab.locator('input[value="On disk"]').focus();
    await keyboard.press("ArrowDown");
    await reach(/^Another answer: For how long/);
    await keyboard.type("Two weeks");
    await reach("Answer");
    await keyboard.press("Enter");
    await tab.getByText("Nothing waits for you").waitFor();
    await reach(/^Sessions/);
    await keyboard.press("Enter");
    await reach(/^Report/);
    await keyboard.press("Enter");
    await tab.getByText("You chose: In a bucket, Two weeks.").waitFor();
    await reach("Archive");
    await keyboard.press("Enter");
    await tab.getByRole("button", { name: "Unarchive" }).waitFor();
    expect(page.faults).toEqual([]);
  });

  test("finds sessions by their words, filters them, and lists archived ones apart", async () => {
    await using page = await site.open();
    const { tab } = page;
    const list = tab.getByRole("region", { name: "Sessions" });
    const titles = () => list.locator(".row-title").allTextContents();
    await list.getByRole("link").first().waitFor();
    expect(await titles()).toEqual(["Edit the server: loopback only."]);
    await list.getByRole("radio", { name: "Archived" }).check();
    await list.getByRole("link", { name: /Report/ }).waitFor();
    expect(await titles()).toEqual(["Report what is wrong with the server."]);
    await list.getByRole("link", { name: /Report/ }).click();
    await tab.getByRole("button", { name: "Unarchive" }).click();
    await tab.getByRole("button", { name: "Archive", exact: true }).waitFor();
    await list.getByRole("radio", { name: "All" }).check();
    // What only the result of a tool says.
    await list.getByRole("searchbox").fill("wrote");
    await expect.poll(titles).toEqual(["Edit the server: loopback only."]);
    await list.getByRole("searchbox").fill("nothing has these words");
    await list.getByText("No session fits").waitFor();
    expect(page.faults).toEqual([]);
  });

  test("says that its connection was lost, and goes on with what it missed, each event once", async () => {
    const link = await openCuttableLink(site.daemon.socketPath);
    await using page = await site.open({ port: link.port });
    const { tab } = page;
    await beginSession(tab, site.directories.site);
    await ask(tab, "slow");
    await tab.getByText(/word 3 /).waitFor();
    await tab.context().route("**/console/ticket", (route) => route.abort());
    link.cut();
    await tab.getByText(/^The connection was lost/).waitFor();
    await picture(tab, "lost");
    await tab.context().unroute("**/console/ticket");
    await expect.poll(() => tab.getByText(/^The connection was lost/).count()).toBe(0);
    await tab.getByText(/word 60 /).waitFor();
    const words = (await tab.locator(".said").textContent())?.match(/\d+/g)?.map(Number) ?? [];
    expect(words).toEqual(words.map((_, index) => index));
    await tab.getByRole("button", { name: "Interrupt" }).click();
    await tab.getByText(/^Interrupted · /).waitFor();
    await tab.getByRole("button", { name: "Archive" }).click();
    await tab.getByRole("button", { name: "Unarchive" }).waitFor();
    await link.close();
  });

  test("ends the access of its tab when it is told to", async () => {
    await using page = await site.open();
    const { tab } = page;
    await tab.getByRole("link", { name: "Agents" }).click();
    await tab.getByRole("button", { name: "End the access of this tab" }).click();
    await tab.getByRole("heading", { name: "This tab has no access" }).waitFor();
    expect(await tab.evaluate(() => Object.keys(sessionStorage))).toEqual([]);
    await tab.reload();
    await tab.getByRole("heading", { name: "This tab has no access" }).waitFor();
  });

  test("draws the last hour, marks a minute in every chart, and has the values in a table", async () => {
    await using page = await site.open({ socket: withAnHour });
    const { tab } = page;
    await tab.getByRole("link", { name: "Last hour" }).click();
    const events = tab.getByRole("img", { name: /^Events a minute: up to / });
    await events.waitFor();
    await picture(tab, "hour");
    const { x, y, width } = (await events.boundingBox()) ?? { x: 0, y: 0, width: 0 };
    await tab.mouse.move(x + width / 2, y + 10);
    expect(await tab.locator(".chart-mark").count()).toBe(4);
    await tab.getByText(/^The minute from /).waitFor();
    await tab.getByText("As a table").click();
    expect(await tab.getByRole("row").count()).toBe(61);
    expect(page.faults).toEqual([]);
  });

  describe.each([
    { width: 1440, height: 900, colorScheme: "light" },
    { width: 1440, height: 900, colorScheme: "dark" },
    { width: 390, height: 844, colorScheme: "light" },
    { width: 390, height: 844, colorScheme: "dark" },
  ] as const)("at $width px, $colorScheme", ({ width, height, colorScheme }) => {
    test("every view is without a finding of axe, and fits", async () => {
      await using page = await site.open({ viewport: { width, height }, colorScheme });
      const { tab } = page;
      await tab.evaluate(await axeScript());
      // What has a fault is found: a button without a name.
      await tab.evaluate(() => document.body.append(document.createElement("button")));
      expect((await tab.evaluate(findings)).join()).toContain("button-name");
      await tab.evaluate(() => document.body.lastElementChild?.remove());
      const check = async (name: string): Promise<void> => {
        const found = await tab.evaluate(findings);
        expect(found, name).toEqual([]);
        const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow, name).toBe(0);
        await picture(tab, `${name}-${width}-${colorScheme}`);
      };
      await tab.getByRole("link", { name: /Report/ }).waitFor();
      await check("sessions");
      await tab.getByRole("link", { name: /Report/ }).click();
      await tab.getByText("You chose: In a bucket, Two weeks.").waitFor();
      await ask(tab, "Edit it.");
      await tab.getByRole("article", { name: "Change server.ts" }).waitFor();
      await check("session");
      for (const view of ["Inbox", "Agents", "Last hour"]) {
        await tab.getByRole("link", { name: view }).click();
        await tab.getByRole("heading", { name: view }).waitFor();
        if (view === "Inbox") await tab.getByRole("article", { name: "Change server.ts" }).waitFor();
        await check(view.toLowerCase().replace(" ", "-"));
      }
      await tab.getByRole("link", { name: "Inbox" }).click();
      await tab.getByRole("button", { name: "No", exact: true }).click();
      await tab.getByText("Nothing waits for you").waitFor();
      expect(page.faults).toEqual([]);
    });
  });
});

/** Gives `get_metrics` an hour's values, as no test waits for an hour. */
function withAnHour(socket: WebSocketRoute): void {
  const daemon = socket.connectToServer();
  daemon.onMessage((text) => {
    const frame = JSON.parse(String(text)) as { result?: { minutes?: unknown; at: number } };
    if (frame.result?.minutes !== undefined) frame.result.minutes = hourUntil(frame.result.at);
    socket.send(JSON.stringify(frame));
  });
}

function hourUntil(at: number): object[] {
  return Array.from({ length: 60 }, (_, index) => {
    const wave = Math.sin(index / 4) + Math.sin(index / 1.7) / 2;
    const load = Math.max(0.1, 1 + wave + (index > 45 ? 1.5 : 0));
    return {
      at: at - (59 - index) * 60_000,
      durationMs: 60_000,
      events: Math.round(420 * load),
      turns: Math.round(6 * load),
      latencyP50Ms: 0.4 + 0.1 * load,
      latencyP99Ms: 2 + 3 * load,
      loopLagMs: 4,
      rssBytes: (84 + index / 4 + 3 * load) * 1024 * 1024,
    };
  });
}

import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../support/packages.js";
import { describeInChromium } from "./chromium.js";
import { ask, beginSession, type ConsoleSite, openConsoleSite } from "./console-site.js";

/** Set it to make the pictures of docs/console.md anew. */
const { UPDATE_SCREENSHOT } = process.env;
const IMAGES = join(ROOT, "docs", "images");

/** A picture of the docs, where they are made. */
async function picture(tab: Page, name: string): Promise<void> {
  if (!UPDATE_SCREENSHOT) return;
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
    await ask(tab, "report");
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
    await ask(tab, "edit");
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
    await tab.getByRole("link", { name: /report/ }).waitFor();
    await reach(/^report/);
    await keyboard.press("Enter");
    await reach("Message");
    await keyboard.type("pick");
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
    await reach(/^report/);
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
    expect(await titles()).toEqual(["edit"]);
    await list.getByRole("radio", { name: "Archived" }).check();
    await list.getByRole("link", { name: /report/ }).waitFor();
    expect(await titles()).toEqual(["report"]);
    await list.getByRole("link", { name: /report/ }).click();
    await tab.getByRole("button", { name: "Unarchive" }).click();
    await tab.getByRole("button", { name: "Archive", exact: true }).waitFor();
    await list.getByRole("radio", { name: "All" }).check();
    // What only the answer says.
    await list.getByRole("searchbox").fill("loopback only");
    await expect.poll(titles).toEqual(["edit"]);
    await list.getByRole("searchbox").fill("nothing has these words");
    await list.getByText("No session fits").waitFor();
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
      await tab.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
      const check = async (name: string): Promise<void> => {
        const found = await tab.evaluate(findings);
        expect(found, name).toEqual([]);
        const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow, name).toBe(0);
        await picture(tab, `${name}-${width}-${colorScheme}`);
      };
      await tab.getByRole("link", { name: /report/ }).waitFor();
      await check("sessions");
      await tab.getByRole("link", { name: /report/ }).click();
      await tab.getByText("You chose: In a bucket, Two weeks.").waitFor();
      await ask(tab, "edit");
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

declare const axe: {
  run(): Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[] }>;
};

/** What axe finds in the page: the rule, and where. Runs in the page. */
async function findings(): Promise<string[]> {
  const { violations } = await axe.run();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}

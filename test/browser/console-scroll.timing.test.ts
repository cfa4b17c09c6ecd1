import { afterAll, beforeAll, expect, test } from "vitest";
import { describeInChromium } from "./chromium.js";
import { ask, beginSession, type ConsoleSite, openConsoleSite } from "./console-site.js";

describeInChromium("The console in Chromium, with a long transcript", (browser) => {
  let site: ConsoleSite;
  beforeAll(async () => {
    site = await openConsoleSite(browser());
  });
  afterAll(() => site[Symbol.asyncDispose]());

  test("scrolls through 10 000 entries as through an empty list", async () => {
    await using page = await site.open();
    const { tab } = page;
    await beginSession(tab, site.directories.api);
    await ask(tab, "many 10000");
    await tab.getByText(/^Done · /).waitFor({ timeout: 30_000 });
    const rows = await tab.locator(".rail-of-rows > *").count();
    expect(rows).toBeLessThan(80);
    const full = await tab.evaluate(framesWhileScrolling, ".scroller");
    const empty = await tab.evaluate(framesWhileScrolling, "");
    process.stdout.write(`Scrolling 10 000 entries: ${full.toFixed(0)} frames/s; an empty list: ${empty.toFixed(0)}\n`);
    expect(full >= 50 || full >= empty / 2).toBe(true);
    expect(page.faults).toEqual([]);
  });
});

/** Frames per second while an element scrolls from its end up; without one, of an empty list. Runs in the page. */
async function framesWhileScrolling(selector: string): Promise<number> {
  const LENGTH_MS = 1_500;
  const STEP_PX = 120;
  let scroller = document.querySelector(selector === "" ? "#none" : selector);
  const own = scroller === null ? document.body.appendChild(document.createElement("div")) : undefined;
  if (own !== undefined) {
    own.style.cssText = "position:fixed;inset:0;overflow:auto;z-index:99";
    own.appendChild(document.createElement("div")).style.height = "1000000px";
    own.scrollTop = 1_000_000;
    scroller = own;
  }
  const target = scroller as Element;
  let frames = 0;
  const begin = performance.now();
  await new Promise<void>((done) => {
    const step = (): void => {
      frames++;
      target.scrollTop -= STEP_PX;
      if (performance.now() - begin < LENGTH_MS) requestAnimationFrame(step);
      else done();
    };
    requestAnimationFrame(step);
  });
  own?.remove();
  return (frames * 1_000) / (performance.now() - begin);
}

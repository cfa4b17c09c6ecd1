import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";
import { CHROMIUM, WITHOUT_CHROMIUM } from "./chromium-path.js";

/**
 * Registers tests that need a real browser. `browser()` gives the running one. Where there is no Chromium they are skipped, and
 * the reason is printed.
 */
export function describeInChromium(
  title: string,
  register: (browser: () => Browser) => void,
  args: string[] = [],
): void {
  if (CHROMIUM === undefined) {
    process.stdout.write(`Skipped: ${title}: ${WITHOUT_CHROMIUM}\n`);
  }
  describe.skipIf(CHROMIUM === undefined)(title, () => {
    let running: Browser | undefined;
    beforeAll(async () => {
      running = await chromium.launch({ executablePath: CHROMIUM ?? "", args });
    });
    afterAll(() => running?.close());
    register(() => {
      if (running === undefined) throw new Error("Chromium has not started.");
      return running;
    });
  });
}

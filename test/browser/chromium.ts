import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";

/** Where a Chromium may be; the first that is there is used. Debian's package puts it into the first place. */
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome-stable"];

const { CHROMIUM_PATH = "" } = process.env;
const EXECUTABLE = [CHROMIUM_PATH, ...PLACES].find((path) => path !== "" && existsSync(path));

/**
 * Registers tests that need a real browser. `browser()` gives the running one. Where there is no Chromium they are skipped, and
 * the reason is printed.
 */
export function describeInChromium(
  title: string,
  register: (browser: () => Browser) => void,
  args: string[] = [],
): void {
  if (EXECUTABLE === undefined) {
    process.stdout.write(`Skipped: ${title}: no Chromium at ${PLACES.join(", ")} or in CHROMIUM_PATH\n`);
  }
  describe.skipIf(EXECUTABLE === undefined)(title, () => {
    let running: Browser | undefined;
    beforeAll(async () => {
      running = await chromium.launch({ executablePath: EXECUTABLE ?? "", args });
    });
    afterAll(() => running?.close());
    register(() => {
      if (running === undefined) throw new Error("Chromium has not started.");
      return running;
    });
  });
}

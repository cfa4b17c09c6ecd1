import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { CHROMIUM, WITHOUT_CHROMIUM } from "../../browser/chromium-path.js";
import { PageServer } from "../../browser/page-server.js";
import type { FaultScenario } from "../scenario.js";
import { startForeground } from "../support/foreground-daemon.js";

const REBOUND = "rebound.example";

/** S9: web pages that are not ours. */
export const foreignPageScenarios: readonly FaultScenario[] = [
  {
    id: "S9",
    title: "a page of another origin opens no socket to the daemon and reads nothing of it",
    // Not in the sample: `test/browser/stranger.test.ts` tries the same in a page.
    cannotRun: () => (CHROMIUM === undefined ? WITHOUT_CHROMIUM : undefined),
    async run() {
      await using friend = await PageServer.open();
      await using stranger = await PageServer.open();
      await using daemon = await startForeground({ config: { allowedOrigins: [friend.origin] } });
      // Loaded here only: it takes half a second, which every process of every scenario would spend at its start.
      const { chromium } = await import("playwright-core");
      const browser = await chromium.launch({
        executablePath: CHROMIUM ?? "",
        args: [`--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`],
      });
      try {
        return await pagesTry(browser, { friend, stranger, port: daemon.port });
      } finally {
        await browser.close();
      }
    },
  },
];

interface Ground {
  readonly friend: PageServer;
  readonly stranger: PageServer;
  readonly port: number;
}

async function pagesTry(browser: Browser, { friend, stranger, port }: Ground): Promise<string> {
  const own = await findings(browser, friend.origin, `127.0.0.1:${port}`);
  assert.deepEqual(own.opened, [true, true], "an allowed page opens: the tries of the others would be seen to succeed");
  const others = [
    [stranger.origin, `127.0.0.1:${port}`],
    [`http://localhost:${friend.port}`, `127.0.0.1:${port}`],
    [`http://${REBOUND}:${friend.port}`, `${REBOUND}:${port}`],
    [friend.origin, `${REBOUND}:${port}`],
  ] as const;
  for (const [page, daemon] of others) {
    const { opened, read } = await findings(browser, page, daemon);
    assert.deepEqual(opened, [false, false], `${page} to ${daemon}`);
    assert.deepEqual(read, [0, 0, 0], `${page} to ${daemon}`);
  }
  return `${others.length} pages of other origins or rebound names, ${others.length * 5} tries: 0 sockets open, 0 bytes read`;
}

/** What a page that was loaded from `page` finds out about the daemon at `authority`. */
async function findings(browser: Browser, page: string, authority: string) {
  const tab = await browser.newPage();
  await tab.goto(page);
  const found = await tab.evaluate(async (address) => {
    const opens = (path: string) =>
      new Promise<boolean>((resolve) => {
        const socket = new WebSocket(`ws://${address}${path}`);
        socket.onopen = () => {
          socket.close();
          resolve(true);
        };
        socket.onclose = () => resolve(false);
      });
    const reads = async (path: string, mode: RequestMode) => {
      try {
        return (await (await fetch(`http://${address}${path}`, { mode })).text()).length;
      } catch {
        return 0;
      }
    };
    return {
      opened: [await opens("/"), await opens("/relay")],
      read: [await reads("/health", "cors"), await reads("/health", "no-cors"), await reads("/", "cors")],
    };
  }, authority);
  await tab.close();
  return found;
}

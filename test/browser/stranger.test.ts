import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DaemonProcess, startDaemonProcess } from "../support/daemon-process.js";
import { describeInChromium } from "./chromium.js";
import { PageServer } from "./page-server.js";
import type { StrangerPage } from "./pages/stranger-page.js";

declare const page: StrangerPage;

/** A name that leads to this machine, as after DNS rebinding. */
const REBOUND = "rebound.example";

describeInChromium(
  "A page of somebody else in Chromium (S9)",
  (browser) => {
    let daemon: DaemonProcess;
    let friend: PageServer;
    let stranger: PageServer;
    beforeAll(async () => {
      friend = await PageServer.open("stranger-page.ts");
      stranger = await PageServer.open("stranger-page.ts");
      daemon = await startDaemonProcess({ allowedOrigins: [friend.origin] });
    });
    afterAll(async () => {
      await daemon.stop();
      await friend[Symbol.asyncDispose]();
      await stranger[Symbol.asyncDispose]();
    });

    /** What a page that was loaded from `address` finds out about the daemon, called by `name`. */
    async function findings(address: string, name = "127.0.0.1") {
      const tab = await browser().newPage();
      await tab.goto(address);
      const found = await tab.evaluate(
        async (authority) => ({
          origin: globalThis.origin,
          opened: [await page.opens(`ws://${authority}/`), await page.opens(`ws://${authority}/relay`)],
          read: [
            await page.reads(`http://${authority}/health`, "cors"),
            await page.reads(`http://${authority}/health`, "no-cors"),
            await page.reads(`http://${authority}/`, "cors"),
          ],
        }),
        `${name}:${daemon.port}`,
      );
      await tab.close();
      return found;
    }

    const NOTHING = { opened: [false, false], read: [undefined, undefined, undefined] };

    test("that is allowed can open a WebSocket: the tries below would be seen to succeed", async () => {
      expect(await findings(friend.origin)).toMatchObject({ origin: friend.origin, opened: [true, true] });
    });

    test("opens no WebSocket and reads nothing, from another port of this machine", async () => {
      expect(await findings(stranger.origin)).toMatchObject({ origin: stranger.origin, ...NOTHING });
    });

    test("opens no WebSocket and reads nothing, from another name of this machine", async () => {
      const address = `http://localhost:${friend.port}`;
      expect(await findings(address)).toMatchObject({ origin: address, ...NOTHING });
    });

    describe("under a name that was pointed at this machine", () => {
      test("opens no WebSocket and reads nothing", async () => {
        expect(await findings(`http://${REBOUND}:${friend.port}`, REBOUND)).toMatchObject(NOTHING);
        expect(await findings(friend.origin, REBOUND)).toMatchObject(NOTHING);
      });

      test("gets a 403 for the daemon's own address", async () => {
        const tab = await browser().newPage();
        const response = await tab.goto(`http://${REBOUND}:${daemon.port}/health`);
        expect(response?.status()).toBe(403);
        expect(await tab.content()).not.toContain("instanceId");
        await tab.close();
      });
    });
  },
  [`--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`],
);

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { ROOT } from "../support/packages.js";
import { describeInChromium } from "./chromium.js";

const PROGRAM = join(ROOT, "apps", "examples", "dist", "browser-server.js");
const IMAGE = join(ROOT, "docs", "images", "browser-example.png");

/** Set it to make the picture of the docs anew; else the test leaves the file alone. */
const { UPDATE_SCREENSHOT } = process.env;

describeInChromium("The page of apps/examples/browser in Chromium", (browser) => {
  test("lists sessions, streams one and answers a permission request; its link works once", {
    timeout: 60_000,
  }, async () => {
    await using server = await startExample();
    const tab = await browser().newPage({ viewport: { width: 960, height: 540 }, colorScheme: "light" });
    await tab.goto(server.link);
    await tab.locator("#status.connected").waitFor();
    expect(tab.url()).not.toContain("visit=");

    const ask = async (prompt: string) => {
      await tab.click("#create");
      await tab.fill("#prompt input", prompt);
      await tab.keyboard.press("Enter");
    };
    await ask("say Good morning.");
    await tab.locator(".end", { hasText: "success" }).waitFor();
    await ask("read notes.md ; then write hello.txt: Hello from a page.");
    await tab.locator("#permission").waitFor({ state: "visible" });
    expect(await tab.textContent("#question")).toContain("hello.txt");
    if (UPDATE_SCREENSHOT) {
      mkdirSync(join(ROOT, "docs", "images"), { recursive: true });
      await tab.screenshot({ path: IMAGE });
    }
    await tab.locator("#options button").first().click();
    await tab.locator(".end", { hasText: "success" }).waitFor();
    expect(await tab.isVisible("#permission")).toBe(false);
    expect(server.read("hello.txt")).toBe("Hello from a page.");

    // The other session, with what was said in it.
    await tab.locator("#sessions button", { hasText: "Good morning" }).click();
    await tab.locator(".assistant", { hasText: "Good morning." }).waitFor();
    await tab.close();

    const second = await (await browser().newContext()).newPage();
    expect((await second.goto(server.link))?.status()).toBe(403);
    await second.context().close();
  });
});

/** Starts the example as a person would; its temporary files are in a directory of its own. */
async function startExample() {
  const directory = mkdtempSync(join(tmpdir(), "ex-"));
  const child = spawn(process.execPath, [PROGRAM], {
    env: { ...process.env, TMPDIR: directory, DAEMON_SDK_HOME: "", XDG_RUNTIME_DIR: "" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const exited = once(child, "exit");
  return {
    link: line.replace("Open ", ""),
    read: (name: string) => readFileSync(join(directory, readdirSync(directory)[0] ?? "", "work", name), "utf8"),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      expect(await exited).toEqual([0, null]);
      expect(readdirSync(directory)).toEqual([]);
      rmSync(directory, { recursive: true });
    },
  };
}

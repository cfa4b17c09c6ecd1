import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Browser, BrowserContextOptions, Page, WebSocketRoute } from "playwright-core";
import { DAEMON_PROGRAM, type DaemonProcess, startDaemonProcess } from "../support/daemon-process.js";

const AGENT = fileURLToPath(new URL("agents/console-agent.mjs", import.meta.url));

/** For what does not come; a busy machine takes seconds for what does. */
const WAIT_MS = 15_000;

/** A real daemon whose console is opened as people do it. */
export interface ConsoleSite extends AsyncDisposable {
  readonly daemon: DaemonProcess;
  /** Directories of sessions, whose names stand in the pictures. */
  readonly directories: { readonly api: string; readonly site: string };
  /** A fresh link, from `local-daemon open`. */
  link(): Promise<string>;
  /** The console in a tab of its own. */
  open(options?: ConsoleTabOptions): Promise<ConsoleTab>;
}

/** Options of {@link ConsoleSite.open}, beside those of a browser's context. */
export interface ConsoleTabOptions extends BrowserContextOptions {
  /** Another port that leads to the daemon. */
  readonly port?: number;
  /** Stands between the page and the daemon. */
  readonly socket?: (socket: WebSocketRoute) => void;
}

/** The console in one tab, and what went wrong in it. */
export interface ConsoleTab extends AsyncDisposable {
  readonly tab: Page;
  /** Errors of scripts, lines of the browser's console, requests to other addresses. */
  readonly faults: string[];
}

/** The configuration of a daemon with the agent of these tests. */
export const CONSOLE_CONFIG = {
  agents: { ada: { command: [process.execPath, AGENT], driver: "stream-jsonrpc" } },
  defaultAgent: "ada",
};

/** Starts the daemon with the agent of these tests. @param config what its configuration has beside that */
export async function openConsoleSite(browser: Browser, config: object = {}): Promise<ConsoleSite> {
  const daemon = await startDaemonProcess({ ...CONSOLE_CONFIG, ...config });
  const directories = { api: join(daemon.workspace, "api"), site: join(daemon.workspace, "site") };
  for (const directory of Object.values(directories)) {
    mkdirSync(directory);
    writeFileSync(join(directory, "notes.md"), "# Notes\n");
  }
  const link = async (): Promise<string> => {
    const env = { ...process.env, DAEMON_SDK_HOME: daemon.stateDir };
    const { stdout } = await promisify(execFile)(process.execPath, [DAEMON_PROGRAM, "open", "--json"], { env });
    return (JSON.parse(stdout) as { url: string }).url;
  };
  return {
    daemon,
    directories,
    link,
    async open({ port, socket, ...options } = {}) {
      const context = await browser.newContext({
        viewport: { width: 1440, height: 900 },
        colorScheme: "light",
        ...options,
      });
      context.setDefaultTimeout(WAIT_MS);
      if (socket !== undefined) await context.routeWebSocket(/./, socket);
      const tab = await context.newPage();
      const faults: string[] = [];
      tab.on("pageerror", (error) => faults.push(String(error)));
      tab.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
      });
      const address = new URL(await link());
      if (port !== undefined) address.port = String(port);
      tab.on("request", (request) => {
        if (!request.url().startsWith(`${address.origin}/console/`)) faults.push(`requested ${request.url()}`);
      });
      await tab.goto(address.href);
      await tab.getByRole("navigation", { name: "Views" }).waitFor();
      return { tab, faults, [Symbol.asyncDispose]: () => context.close() };
    },
    [Symbol.asyncDispose]: () => daemon.stop(),
  };
}

/** Makes a session by the page's own form. */
export async function beginSession(tab: Page, directory: string): Promise<void> {
  await tab.getByRole("button", { name: "New" }).click();
  await tab.getByLabel("Directory").fill(directory);
  await tab.getByRole("button", { name: "Begin" }).click();
  await tab.getByRole("textbox", { name: "Message" }).waitFor();
}

/** Sends a prompt by the page's own form. */
export async function ask(tab: Page, prompt: string): Promise<void> {
  await tab.getByRole("textbox", { name: "Message" }).fill(prompt);
  await tab.keyboard.press("Enter");
}

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFleetKeys, enrol } from "../../packages/fleet/src/enrol.js";
import { HAS_NATS, NatsServer, NO_NATS } from "../../packages/fleet/test/support/nats-server.js";
import { axeScript, findings } from "../browser/axe.js";
import { describeInChromium } from "../browser/chromium.js";
import { ask, CONSOLE_CONFIG, type ConsoleSite, openConsoleSite } from "../browser/console-site.js";
import { type DaemonProcess, startDaemonProcess } from "../support/daemon-process.js";

describeInChromium(`The console of a daemon in a fleet${NO_NATS}`, (browser) => {
  let server: NatsServer;
  let directory: string;
  let other: DaemonProcess;
  let site: ConsoleSite;
  beforeAll(async () => {
    if (!HAS_NATS) return;
    directory = mkdtempSync(join(tmpdir(), "console-fleet-"));
    const { serverConfig, enrolmentKey } = await createFleetKeys("acme", directory);
    server = await NatsServer.start(serverConfig);
    const credentialsFile = async (name: string, who: Parameters<typeof enrol>[1]): Promise<string> => {
      writeFileSync(join(directory, name), (await enrol(enrolmentKey, who)).credentials);
      return join(directory, name);
    };
    const machine = async (machineId: string, region: string) => ({
      ...{ servers: [server.url], tenant: "acme", machineId, labels: { region } },
      credentialsFile: await credentialsFile(`${machineId}.creds`, { machineId }),
    });
    other = await startDaemonProcess({ ...CONSOLE_CONFIG, fleet: await machine("eu-2", "eu") });
    const service = await credentialsFile("console.creds", { client: "console" });
    const fleet = { ...(await machine("desk", "here")), console: { credentialsFile: service } };
    site = await openConsoleSite(browser(), { fleet });
  });
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
    await other?.stop();
    await server?.[Symbol.asyncDispose]();
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  test.skipIf(!HAS_NATS)(
    "works with a session of another machine as with its own, and says when that is lost",
    async () => {
      await using page = await site.open();
      const { tab } = page;
      await tab.getByRole("link", { name: "Machines" }).click();
      await tab.getByText("2 of 2 machines are online.").waitFor();
      const card = tab.getByRole("article", { name: "eu-2" });
      for (const text of ["Online", "0 of 8", "region"]) await card.getByText(text).waitFor();
      await tab.getByRole("article", { name: "desk" }).getByText("this console").waitFor();

      // On a machine that is chosen.
      await tab.getByRole("link", { name: "Sessions" }).click();
      await tab.getByRole("button", { name: "New" }).click();
      await tab.getByLabel("Machine").selectOption("eu-2");
      await tab.getByLabel("Directory").fill(other.workspace);
      await tab.getByRole("button", { name: "Begin" }).click();
      await ask(tab, "Report what is wrong with the server.");
      await tab.getByText(/^Done · /).waitFor();
      const list = tab.getByRole("region", { name: "Sessions" });
      await list.getByRole("link", { name: /Report.*eu-2/ }).waitFor();

      // What its agent asks is in the inbox, and answered there.
      await ask(tab, "Edit the server: loopback only.");
      await tab.getByRole("article", { name: "Change server.ts" }).waitFor();
      await tab.getByRole("link", { name: /^Inbox/ }).click();
      const question = tab.getByRole("article", { name: "Change server.ts" });
      await question.getByText("eu-2").waitFor();
      await question.getByRole("button", { name: "Yes, once" }).click();
      await tab.getByText("Nothing waits for you").waitFor();
      await tab.getByRole("link", { name: "Sessions" }).click();
      await list.getByRole("link", { name: /Report.*eu-2/ }).click();
      await tab.getByText("Done: the server listens on loopback only.").waitFor();

      // On a machine that has the labels.
      await tab.getByRole("button", { name: "New" }).click();
      await tab.getByLabel("Machine").selectOption({ label: "Placed by its needs" });
      await tab.getByLabel("Labels").fill("region=eu");
      await tab.getByLabel("Directory").fill(other.workspace);
      await tab.getByRole("button", { name: "Begin" }).click();
      await tab.getByRole("textbox", { name: "Message" }).waitFor();
      await tab.locator(".detail-head").getByText("eu-2").waitFor();

      await tab.evaluate(await axeScript());
      for (const view of ["Machines", "Inbox", "Sessions"]) {
        await tab.getByRole("link", { name: view }).click();
        expect(await tab.evaluate(findings), view).toEqual([]);
      }
      // Found by what was said there.
      await list.getByRole("searchbox").fill("loopback");
      await list.getByRole("link", { name: /Report.*eu-2/ }).click();
      expect(page.faults).toEqual([]);

      // NATS is away and comes back: the session goes on where it was.
      await server.kill();
      await tab.getByText(/^The link to eu-2 was lost/).waitFor();
      await server.run();
      await expect.poll(() => tab.getByText(/^The link to eu-2 was lost/).count()).toBe(0);
      await ask(tab, "Report it again.");
      await tab
        .getByText(/^Done · /)
        .last()
        .waitFor();

      await other.stop();
      await list.getByText("eu-2 does not answer: its sessions are old or missing").waitFor();
      await tab.getByText(/^The link to eu-2 was lost|^Machine eu-2 is lost/).waitFor();
      await tab.getByRole("link", { name: "Machines" }).click();
      await card.getByText(/^Lost/).waitFor();
      expect(await tab.evaluate(findings), "a lost machine").toEqual([]);
    },
  );
});

/** The agent requests permission before it writes or runs; the program decides. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connectDaemon } from "@daemon-sdk/client";
import { printEvent } from "./print-event.js";
import { openScratch } from "./scratch.js";

await using scratch = await openScratch();
await using connection = await connectDaemon();
await using session = await connection.createSession({
  cwd: scratch.workspace,
  autonomyLevel: "off",
  permissionHandler({ toolUses }) {
    // One request may have several tool uses; the answer applies to all of them.
    const isSafe = toolUses.every(({ confirmationType }) => confirmationType === "create");
    console.log(`asked  ${toolUses.map(({ toolUse }) => toolUse.name).join(", ")}: ${isSafe ? "yes" : "no"}`);
    return isSafe ? "proceed_once" : "cancel";
  },
});

for (const prompt of ["write hello.txt: Hello, world.", "run rm hello.txt"]) {
  for await (const event of session.stream(prompt)) printEvent("agent", event);
}
console.log(`hello.txt holds: ${readFileSync(join(scratch.workspace, "hello.txt"), "utf8")}`);

/** A machine of your own behind a relay: `relayBaseUrl` names the relay, `computerId` the machine. */
import { connectDaemon, MachineType } from "@daemon-sdk/client";
import { createDaemon } from "@daemon-sdk/local-daemon/server";
import { openRelay } from "./loopback-relay.js";
import { printEvent } from "./print-event.js";
import { openDirectories } from "./scratch.js";

const COMPUTER_ID = "my-laptop";
const API_KEY = "fk-example-key-of-this-program";

await using directories = openDirectories();
// A relay between client and daemon breaks the local proof, so a key is configured.
const daemon = await createDaemon({ stateDir: directories.stateDir, port: 0, apiKeys: [API_KEY] });
const relay = await openRelay(COMPUTER_ID, `ws://127.0.0.1:${daemon.endpoint.port}/`);
try {
  await using connection = await connectDaemon({
    machine: { type: MachineType.Computer, computerId: COMPUTER_ID },
    relayBaseUrl: relay.url,
    apiKey: API_KEY,
  });
  await using session = await connection.createSession({ cwd: directories.workspace });
  for await (const event of session.stream("read notes.md")) printEvent(COMPUTER_ID, event);
  console.log(`the relay forwarded ${relay.forwarded()} messages`);
} finally {
  await relay.close();
  await daemon.close();
}

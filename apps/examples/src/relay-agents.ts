/**
 * Three agents in three processes count words together. The lead posts the work in a channel, its two helpers take turns;
 * the second helper is spawned by the lead, through the daemon.
 *
 * This file is all four programs: without arguments it runs the daemon and starts the lead and the first helper.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { RelayClient, type RelayMessage } from "@daemon-sdk/client/relay";
import { createDaemon } from "@daemon-sdk/local-daemon/server";
import { openDirectories } from "./scratch.js";

const CHANNEL = "#words";
const LINES = ["the quick brown fox", "jumps over", "the lazy dog", "and is never seen again"];
const PROGRAM = fileURLToPath(import.meta.url);

const [role] = process.argv.slice(2);
if (role === "lead") await lead();
else if (role === "helper") await help();
else await host();

/** Runs a daemon for the three agents, and stops it when the lead has finished. */
async function host(): Promise<void> {
  await using directories = openDirectories();
  const daemon = await createDaemon({
    stateDir: directories.stateDir,
    spawnManager: true,
    agents: { helper: { driver: "relay", command: [process.execPath, PROGRAM, "helper"] } },
  });
  const env = { ...process.env, RELAY_SOCKET: daemon.endpoint.socketPath, WORKSPACE: directories.workspace };
  const helper = fork(PROGRAM, ["helper"], { env: { ...env, RELAY_AGENT_NAME: "Ann" } });
  const leader = fork(PROGRAM, ["lead"], { env: { ...env, RELAY_AGENT_NAME: "Lead" } });
  const helperGone = once(helper, "exit");
  await once(leader, "exit");
  await helperGone;
  await daemon.close();
}

/** Name and socket are in the environment, both of a forked child and of one that the daemon spawned. */
async function lead(): Promise<void> {
  await using client = new RelayClient();
  await client.connect();
  await client.waitForAgent("Ann");
  const { pid } = await client.workers.spawn({ name: "Ben", cli: "helper", cwd: process.env.WORKSPACE ?? "/" });
  console.log(`Lead spawned Ben as process ${pid}`);
  const helpers = ["Ann", "Ben"];
  // Each helper reports that it has joined the channel: only connected members receive posts.
  for (const name of helpers) await client.request(name, "join", { data: { channel: CHANNEL } });
  client.joinChannel(CHANNEL);
  for (const [index, line] of LINES.entries()) {
    await client.post(CHANNEL, line, { mentions: [helpers[index % helpers.length] ?? ""] });
  }
  console.log(`together: ${await sumOf(client, LINES.length)} words`);
  await client.send("Ann", "done");
  await client.workers.release("Ben");
  console.log("Lead released Ben");
}

async function sumOf(client: RelayClient, answers: number): Promise<number> {
  let sum = 0;
  let missing = answers;
  for await (const { from, body, data } of client.messages()) {
    if (data?.words === undefined) continue;
    console.log(`${from} counted ${data.words} in "${body}"`);
    sum += Number(data.words);
    missing -= 1;
    if (missing === 0) break;
  }
  return sum;
}

/** Counts the words of each post that mentions this helper, and sends the count to the lead. */
async function help(): Promise<void> {
  await using client = new RelayClient();
  await client.connect();
  for await (const message of client.messages()) {
    if (message.body === "done") break;
    await handle(client, message);
  }
}

async function handle(client: RelayClient, message: RelayMessage): Promise<void> {
  if (message.body === "join") {
    client.joinChannel(CHANNEL);
    await client.respond(message, "joined");
  } else if (message.mentions?.includes(client.name)) {
    await client.send(message.from, message.body, { data: { words: message.body.split(" ").length } });
  }
}

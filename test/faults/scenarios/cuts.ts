import assert from "node:assert/strict";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { ActingClient } from "../support/acting-client.js";
import { startForeground } from "../support/foreground-daemon.js";
import type { PassedMessage } from "../support/positioned-dial.js";
import { converseWildly } from "../support/wild-conversation.js";

/** Clients that work side by side, each on links of its own. */
const CLIENTS = 4;

/** What comes first in a turn is its acknowledgement and one event. */
const FIRST_BYTES = 300;
const ASKING = [/"daemon\.add_user_message"/, /"daemon\.request_permission"/, /"selectedOption"/];

const WILD_TURNS = 600;

/** F2: links that are cut at any byte. */
export const cutScenarios: readonly FaultScenario[] = [
  {
    id: "F2",
    title: "wherever a link is cut, each event comes once and in order, and each prompt and each answer acts once",
    isQuick: true,
    limitMs: 400_000,
    async run(context) {
      await using daemon = await startForeground();
      const names = Array.from({ length: CLIENTS }, (_none, index) => `cut-${index}`);
      const clients: ActingClient[] = [];
      try {
        for (const name of names) clients.push(await ActingClient.open({ daemon, name, seed: context.seed }));
        const everywhere = await everyByte(clients, context);
        const { turns, links, interrupted } = await converseWildly(daemon, context.count(WILD_TURNS, 6), context);
        return `${everywhere}; ${turns} turns of two clients, ${interrupted} of them interrupted, over ${links} broken links: the same`;
      } finally {
        for (const client of clients) await client[Symbol.asyncDispose]();
      }
    },
  },
];

/** A byte of a turn: so many into what one side says from the turn's beginning on. */
interface Place {
  readonly toServer: boolean;
  readonly offset: number;
}

async function everyByte(clients: readonly ActingClient[], context: FaultContext): Promise<string> {
  const [first] = clients;
  assert.ok(first);
  await first.act();
  const places = await placesOfTurn(first);
  const chosen = places.filter(() => context.random() < (context.isSample ? context.scale / 2 : context.scale));
  const queue = [...chosen];
  let cuts = 0;
  const work = async (client: ActingClient) => {
    for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
      const before = client.proxy.accepted;
      const { toServer, toClient } = client.link;
      const lane = place.toServer ? toServer : toClient;
      lane.cutAt(lane.passedBytes + place.offset);
      await client.act().catch((error: unknown) => {
        throw new Error(`cut at byte ${place.offset} ${place.toServer ? "to" : "from"} the daemon`, { cause: error });
      });
      cuts += client.proxy.accepted - before;
    }
  };
  await Promise.all(clients.map(work));
  const faults = (await Promise.all(clients.map((client) => client.faults()))).flat();
  assert.deepEqual(faults, []);
  assert.ok(cuts >= chosen.length, `${cuts} links were made anew for ${chosen.length} cuts`);
  return `${chosen.length} cuts, one at each byte: 0 events lost, doubled or out of order; every prompt and answer acted on once`;
}

/**
 * Every byte of two exchanges of three messages: the prompt, its acknowledgement and the first event; the agent's question, its
 * answer, and what that becomes. Measured in a turn that nobody cuts; the next ones are as long, but for a digit here and there.
 */
async function placesOfTurn(client: ActingClient): Promise<Place[]> {
  const messages: PassedMessage[] = [];
  client.dial.onMessage = (message) => messages.push(message);
  await client.act();
  client.dial.onMessage = undefined;
  const places: Place[] = [];
  const passed = { toServer: 0, toClient: 0 };
  for (const { isSent, frameBytes, text } of messages) {
    const side = isSent ? "toServer" : "toClient";
    const from = passed[side];
    passed[side] += frameBytes;
    const isFirst = !isSent && from < FIRST_BYTES;
    if (!isFirst && !ASKING.some((pattern) => pattern.test(text))) continue;
    for (let offset = from + 1; offset <= passed[side]; offset += 1) places.push({ toServer: isSent, offset });
  }
  return places;
}

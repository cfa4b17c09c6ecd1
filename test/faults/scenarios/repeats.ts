import assert from "node:assert/strict";
import type { ChaosConnection } from "@daemon-sdk/testing/node";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { ActingClient } from "../support/acting-client.js";
import { startForeground } from "../support/foreground-daemon.js";

const ROUNDS = 200;
/** About what a turn is long. */
const TURN_BYTES = 9_000;

interface Count {
  frames: number;
}

/** F5: links that say things twice. */
export const repeatScenarios: readonly FaultScenario[] = [
  {
    id: "F5",
    title: "frames that come twice, on one link or from the one before it, are neither told nor acted on twice",
    isQuick: true,
    limitMs: 120_000,
    async run(context) {
      await using daemon = await startForeground();
      const stale = new StaleFrames();
      const onConnection = (link: ChaosConnection) => stale.sayOn(link);
      await using client = await ActingClient.open({ daemon, name: "twice", seed: context.seed, onConnection });
      return await sayTwice(client, stale, context);
    },
  },
];

/** By turns: every frame comes twice; the link is cut, and its last frames come again on the next one; both. */
async function sayTwice(client: ActingClient, stale: StaleFrames, context: FaultContext): Promise<string> {
  const repeats: Count = { frames: 0 };
  for (let round = 0; round < context.count(ROUNDS, 9); round += 1) {
    if (round % 3 !== 1) repeatEachFrame(client, repeats);
    if (round % 3 !== 0) stale.breakAt(client.link, context.below(TURN_BYTES));
    await client.act();
    client.dial.onMessage = undefined;
  }
  // What a repeated frame would have set off has happened, too.
  await client.act();
  assert.deepEqual(await client.faults(), []);
  return `${repeats.frames} frames said twice, ${stale.count} last frames of broken links said again on the next: 0 events doubled, 0 prompts or answers acted on twice`;
}

/** Lets every frame of the next turn pass twice, in both directions. */
function repeatEachFrame({ dial, link }: ActingClient, count: Count): void {
  const seen = new Set<string>();
  let sent: Uint8Array | undefined;
  dial.onMessage = ({ isSent, text }) => {
    // A repeated frame is a message, too, and would be repeated without end.
    if (isSent || seen.has(text)) return;
    seen.add(text);
    link.toClient.repeatLastFrame();
    count.frames += 1;
    // What the client sent last has passed by the time that something comes.
    const { lastFrame } = link.toServer;
    if (lastFrame === undefined || (sent !== undefined && Buffer.compare(sent, lastFrame) === 0)) return;
    sent = lastFrame;
    link.toServer.repeatLastFrame();
    count.frames += 1;
  };
}

/** The last frames of a link that broke, and a way to say them on the next: right after its first frame, before the client is back. */
class StaleFrames {
  count = 0;
  #lost: ChaosConnection | undefined;

  breakAt(link: ChaosConnection, offset: number): void {
    this.#lost = link;
    link.toClient.cutAt(link.toClient.passedBytes + offset);
  }

  sayOn({ toClient, toServer }: ChaosConnection): void {
    const lost = this.#lost;
    if (lost === undefined) return;
    this.#lost = undefined;
    for (const [from, to] of [
      [lost.toClient, toClient],
      [lost.toServer, toServer],
    ] as const) {
      if (from.lastFrame === undefined) continue;
      to.inject(from.lastFrame);
      this.count += 1;
    }
  }
}

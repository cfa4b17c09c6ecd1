import { silentLogger } from "@daemon-sdk/protocol";
import { type ChannelJoinPayload, createEnvelope, type Envelope } from "@daemon-sdk/protocol/relay";
import { expect, test, vi } from "vitest";
import { MESSAGING_LIMITS } from "../../../src/limits/index.js";
import { Channels } from "../../../src/relay/groups/channels.js";
import { Topics } from "../../../src/relay/groups/topics.js";
import type { RelayPeer } from "../../../src/relay/names/index.js";
import { MemoryStore } from "../../../src/storage/memory-store.js";

function channelsWithPeer() {
  const find = vi.fn(() => []);
  const channels = new Channels({
    directory: { find },
    mailboxes: { record: () => {} },
    limits: { relayFrameBytes: 1024 * 1024 },
    store: new MemoryStore(),
    committer: { commit: async () => {} },
    exchange: { broadcast: () => {} },
    feed: { coversAll: () => false },
    now: () => 1,
  } as never);
  const refused: string[] = [];
  const peer = {
    name: "Joiner",
    refuse: (_code: string, text: string) => void refused.push(text),
  } as never as RelayPeer;
  const join = (channel: string, member?: string) => {
    const payload: ChannelJoinPayload = member === undefined ? { channel } : { channel, member };
    channels.join(peer, createEnvelope("CHANNEL_JOIN", payload) as Envelope<ChannelJoinPayload>);
  };
  return { channels, find, refused, join };
}

test("the members of all channels together have a bound, past which a join is refused by name and number", () => {
  const { channels, refused, join } = channelsWithPeer();
  const { channelMembers } = MESSAGING_LIMITS;
  for (let member = 0; member < channelMembers; member += 1) join(`#${member % 100}`, `m-${member}`);
  expect(refused).toEqual([]);
  join("#0", "one-more");
  expect(refused).toEqual([expect.stringContaining(`${channelMembers} members together`)]);
  // Who is a member already, and everybody's channel, are no more.
  join("#0", "m-0");
  join("#general");
  channels.forget("m-0");
  join("#0", "one-more");
  expect(refused).toHaveLength(1);
});

test("a name that another adds costs the same in a channel of any size: nobody is looked for", () => {
  const { find, join } = channelsWithPeer();
  for (let member = 0; member < 1_000; member += 1) join("#crowd", `m-${member}`);
  expect(find).not.toHaveBeenCalled();
});

test("topics of a name that change in one tick are stored once, and the last state is what is stored", () => {
  const enlist = vi.fn();
  const topics = new Topics({ store: new MemoryStore(), committer: { enlist }, logger: silentLogger });
  for (let topic = 0; topic < 500; topic += 1) topics.subscribe("Reader", `t-${topic}`);
  topics.unsubscribe("Reader", "t-0");
  topics.subscribe("Other", "t-1");
  topics.drop("Other");
  const { writes } = topics.takeBatch();
  expect(writes).toEqual([
    { kind: "relayFact", scope: "topics", name: "Reader", body: expect.stringMatching(/^\["t-1",.*"t-499"\]$/) },
    { kind: "relayFact", scope: "topics", name: "Other", body: undefined },
  ]);
  expect(topics.takeBatch().writes).toEqual([]);
});

test("the topics of all names together have a bound, past which a subscription is refused by name and number", () => {
  const topics = new Topics({ store: new MemoryStore(), committer: { enlist: () => {} }, logger: silentLogger });
  const { topicsPerName, topicSubscriptions } = MESSAGING_LIMITS;
  for (let name = 0; name < topicSubscriptions / topicsPerName; name += 1) {
    for (let topic = 0; topic < topicsPerName; topic += 1) topics.subscribe(`n-${name}`, `t-${topic}`);
  }
  expect(topics.subscribe("n-0", "one-more")).toContain(`at most ${topicsPerName} topics`);
  expect(topics.subscribe("Other", "t-0")).toContain(`${topicSubscriptions} topics together`);
  expect(topics.subscribe("n-0", "t-0")).toBeUndefined();
  topics.drop("n-0");
  expect(topics.subscribe("Other", "t-0")).toBeUndefined();
});

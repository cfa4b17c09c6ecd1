import { newId } from "@daemon-sdk/protocol";
import { expectEqual, expectThat } from "../expectation.js";
import { isNotification, type WireFrame } from "../wire-frame.js";
import { daemonCase, type OpenedSession } from "./daemon-bench.js";
import type { DaemonCase } from "./daemon-harness.js";
import { interrupted, showsMessage, timesEnded, timesShown } from "./turn-marks.js";

/** docs/protocol.md §7: messages when agents and daemons end, and receipts. */
export const RECEIPT_CASES: readonly DaemonCase[] = [
  daemonCase(
    "P7.12-agent-death",
    "a turn whose agent dies ends as agent_exited, and the next one runs",
    async (bench) => {
      const opened = await bench.session({ params: { autonomyLevel: "high" } });
      const messageId = await bench.prompt(opened, bench.prompts.die ?? "");
      const end = await opened.client.turnEnd(messageId);
      expectEqual(end.params?.notification?.reason, "agent_exited", "the reason");
      await bench.turn(opened, bench.prompts.say("again"));
      expectEqual(timesEnded(opened, messageId), 1, "ends of the turn");
    },
    ["turns", "agent-death"],
  ),

  daemonCase(
    "P7.13-restart",
    "a turn that was open when the daemon ended is not open after it, and not run again",
    async (bench) => {
      const opened = await bench.session();
      const messageId = await bench.prompt(opened, bench.prompts.endless);
      await opened.client.waitFor((frame) => isNotification(frame, "assistant_text_delta"), "the turn's first words");
      await bench.harness.restart?.("killed");
      const again = await bench.join(opened.sessionId);
      expectEqual(again.snapshot.isAgentLoopInProgress, false, "isAgentLoopInProgress after the restart");
      const other = { client: again.client, sessionId: opened.sessionId };
      await bench.turn(other, bench.prompts.say("after it"));
      expectEqual(timesShown(other, messageId), 0, "turns of the old message");
    },
    ["turns", "restart"],
  ),

  daemonCase(
    "P7.14-once-for-ever",
    "a message is acted on once, also when it is sent again after a restart",
    async (bench) => {
      const opened = await bench.session();
      const { sessionId } = opened;
      const message = { sessionId, text: bench.prompts.say("once"), messageId: newId() };
      await opened.client.result("add_user_message", message);
      await opened.client.turnEnd(message.messageId);
      await bench.harness.restart?.("killed");
      const { client } = await bench.join(sessionId);
      await client.result("add_user_message", message);
      await bench.turn({ client, sessionId }, bench.prompts.say("next"));
      expectEqual(timesShown({ client, sessionId }, message.messageId), 0, "turns of the message after the restart");
    },
    ["turns", "restart"],
  ),

  daemonCase(
    "P7.15-receipts",
    "receipts tell unknown, what runs, what waits and what has ended, in their order",
    async (bench) => {
      const opened = await bench.session();
      const done = await bench.turn(opened, bench.prompts.say("receipt-text"));
      const running = await bench.prompt(opened, bench.prompts.endless);
      await opened.client.waitFor(({ params }) => showsMessage(running, params?.notification), "the running turn");
      const waiting = await bench.prompt(opened, bench.prompts.say("later"));
      const messageIds = [newId(), done, waiting, running];
      const { receipts } = await opened.client.result("get_receipts", { sessionId: opened.sessionId, messageIds });
      const told = receipts as { messageId: string; state: string; reason?: string; text?: string }[];
      expectEqual(
        told.map(({ messageId }) => messageId),
        messageIds,
        "ids",
      );
      expectEqual(
        told.map(({ state }) => state),
        ["unknown", "completed", "accepted", "running"],
        "states",
      );
      expectEqual(told[1]?.reason, "completed", "the reason of what has ended");
      expectThat(told[1]?.text?.includes("receipt-text") === true, `the text is ${String(told[1]?.text)}`);
      await interrupted(bench, opened, running);
      const after = await opened.client.result("get_receipts", { sessionId: opened.sessionId, messageIds: [running] });
      expectEqual((after.receipts as { state: string }[])[0]?.state, "interrupted", "the state after an interrupt");
    },
    ["turns", "receipts"],
  ),

  daemonCase(
    "P7.16-many-receipts",
    "receipts of more than 100 messages in one call are refused with -32602",
    async (bench) => {
      const { client, sessionId } = await bench.session();
      const messageIds = Array.from({ length: 101 }, () => newId());
      expectEqual(await client.codeOf("get_receipts", { sessionId, messageIds }), -32_602, "the code of 101");
      const { receipts } = await client.result("get_receipts", { sessionId, messageIds: messageIds.slice(1) });
      expectEqual((receipts as unknown[]).length, 100, "receipts of 100");
    },
    ["receipts"],
  ),

  daemonCase(
    "P7.17-receipts-last",
    "receipts are the same after a restart",
    async (bench) => {
      const opened = await bench.session();
      const messageId = await bench.turn(opened, bench.prompts.say("kept"));
      await bench.harness.restart?.("killed");
      const call = { sessionId: opened.sessionId, messageIds: [messageId] };
      const { receipts } = await (await bench.client()).result("get_receipts", call);
      expectEqual((receipts as { state: string }[])[0]?.state, "completed", "the state");
    },
    ["turns", "receipts", "restart"],
  ),

  daemonCase(
    "P7.25-receipt-text",
    "the receipt of a turn that did not complete has the text that the turn had: interrupted, or ended with its daemon",
    async (bench) => {
      const opened = await bench.session();
      const { sessionId } = opened;
      const stopped = await bench.prompt(opened, bench.prompts.endless);
      const texts = [await firstText(opened, stopped)];
      await interrupted(bench, opened, stopped);
      const lost = await bench.prompt(opened, bench.prompts.endless);
      texts.push(await firstText(opened, lost));
      await bench.harness.restart?.("killed");
      const call = { sessionId, messageIds: [stopped, lost] };
      const { receipts } = await (await bench.client()).result("get_receipts", call);
      const told = receipts as { state: string; text?: string }[];
      expectEqual(told.map(({ state }) => state).join(), "interrupted,outcome_unknown", "the states");
      for (const [index, { state, text = "" }] of told.entries()) {
        const written = texts[index] ?? "";
        expectThat(
          text.startsWith(written),
          `the text of ${state} is "${text}", which does not begin with "${written}"`,
        );
      }
    },
    ["turns", "receipts", "restart"],
  ),

  daemonCase(
    "P7.19-known-message",
    "a message that is known is acknowledged with its receipt, and its turn can be read again, after a restart, too",
    async (bench) => {
      const opened = await bench.session();
      const message = { sessionId: opened.sessionId, text: bench.prompts.stream(200), messageId: newId() };
      const first = await opened.client.result("add_user_message", message);
      expectEqual(first.receipt, undefined, "the receipt of a new message");
      await opened.client.turnEnd(message.messageId);
      const live = notificationsOf(opened);
      await bench.harness.restart?.("killed");
      const { client } = await bench.join(opened.sessionId);
      const { receipt } = await client.result("add_user_message", message);
      expectEqual((receipt as { state?: string } | undefined)?.state, "completed", "the state of the known message");
      const told = await turnOf({ client, sessionId: opened.sessionId }, message.messageId);
      const end = told.findIndex(({ type }) => type === "agent_turn_completed");
      expectThat(end > 200, `the turn that is read again has ${end + 1} events to its end`);
      const liveFrom = live.findIndex((notification) => showsMessage(message.messageId, notification));
      const toldFrom = told.findIndex((notification) => showsMessage(message.messageId, notification));
      const liveEnd = live.findIndex(({ type }) => type === "agent_turn_completed");
      const both = [told.slice(toldFrom, end + 1), live.slice(liveFrom, liveEnd + 1)];
      expectEqual(JSON.stringify(both[0]), JSON.stringify(both[1]), "the turn that is read again");
    },
    ["turns", "turnEvents", "restart"],
  ),

  daemonCase(
    "P7.24-running-turn-read",
    "a turn that runs can be read as far as it has come, and one that is unknown or waits has no events",
    async (bench) => {
      const opened = await bench.session();
      const running = await bench.prompt(opened, bench.prompts.endless);
      await opened.client.waitFor((frame) => isNotification(frame, "assistant_text_delta"), "the turn's first words");
      const waiting = await bench.prompt(opened, bench.prompts.say("later"));
      const types = (await turnOf(opened, running)).map(({ type }) => type);
      expectThat(types.includes("assistant_text_delta"), `the events are ${types.join()}`);
      expectThat(!types.includes("agent_turn_completed"), "the turn has not ended");
      expectEqual((await turnOf(opened, waiting)).length, 0, "events of a message that waits");
      expectEqual((await turnOf(opened, newId())).length, 0, "events of an unknown message");
      await interrupted(bench, opened, running);
    },
    ["turns", "turnEvents"],
  ),

  daemonCase(
    "P7.21-pruned-turn",
    "of a turn that the journal no longer has, the messages are given and the receipt with its answer",
    async (bench) => {
      const opened = await bench.session();
      const messageId = await bench.turn(opened, bench.prompts.say("pruned-answer"));
      await bench.turn(opened, bench.prompts.say("other"));
      await bench.harness.prune?.(opened.sessionId);
      const { sessionId, client } = opened;
      const page = (await client.result("get_turn_events", { sessionId, messageId })) as unknown as TurnPage;
      expectEqual(page.events.length, 0, "events");
      expectEqual(page.messages?.map(({ role }) => role).join(), "user,assistant", "roles of the messages");
      expectEqual(page.messages?.[0]?.id, messageId, "the first message");
      expectThat(page.receipt.text?.includes("pruned-answer") === true, `the answer is ${String(page.receipt.text)}`);
    },
    ["turns", "turnEvents", "pruning"],
  ),
];

/** The fields of a page of `get_turn_events` that the cases check. */
interface TurnPage {
  readonly events: readonly { readonly notification: { readonly type: string } }[];
  readonly nextSeq?: number;
  readonly receipt: { readonly text?: string };
  readonly messages?: readonly { readonly id: string; readonly role: string }[];
}

/** The first piece of text of a message's turn, once it has come. */
async function firstText({ client }: OpenedSession, messageId: string): Promise<string> {
  const shown = await client.waitFor(({ params }) => showsMessage(messageId, params?.notification), "the running turn");
  const isText = (frame: WireFrame) => isNotification(frame, "assistant_text_delta");
  const delta = await client.waitFor(isText, "the turn's first words", client.frames.indexOf(shown));
  return String(delta.params?.notification?.textDelta);
}

/** All notifications of one turn, page by page. */
async function turnOf({ client, sessionId }: Pick<OpenedSession, "client" | "sessionId">, messageId: string) {
  const told: { readonly type: string }[] = [];
  let fromSeq: number | undefined;
  do {
    const call = { sessionId, messageId, ...(fromSeq === undefined ? {} : { fromSeq }) };
    const { events, nextSeq } = (await client.result("get_turn_events", call)) as unknown as TurnPage;
    told.push(...events.map(({ notification }) => notification));
    // A running turn is read to its last entry for now.
    fromSeq = events.length === 0 ? undefined : nextSeq;
  } while (fromSeq !== undefined && told.length < 10_000);
  return told;
}

function notificationsOf({ client, sessionId }: OpenedSession): { readonly type: string }[] {
  return client.frames.flatMap(({ params }) =>
    params?.sessionId === sessionId && params.notification !== undefined ? [params.notification] : [],
  ) as { readonly type: string }[];
}

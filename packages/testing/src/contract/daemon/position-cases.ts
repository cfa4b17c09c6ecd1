import { expectEqual, expectThat } from "../expectation.js";
import { bare, isEndOf, runFrom, type WireFrame, type WirePosition, wordFor } from "../wire-frame.js";
import { daemonCase } from "./daemon-bench.js";
import type { DaemonCase } from "./daemon-harness.js";

/** docs/protocol.md §9: positions and resume. */
export const POSITION_CASES: readonly DaemonCase[] = [
  daemonCase(
    "P9.1-contiguous",
    "seq grows by one from entry to entry, from the one after the snapshot",
    async (bench) => {
      const opened = await bench.session();
      await bench.turn(opened, bench.prompts.stream(100));
      const positions = opened.client.positions(opened.sessionId);
      expectEqual(positions, runFrom(opened.position, positions.length), "positions");
    },
    ["turns", "positions"],
  ),

  daemonCase(
    "P9.2-same-for-all",
    "an entry has the same position on every connection",
    async (bench) => {
      const opened = await bench.session();
      const { client } = await bench.join(opened.sessionId);
      const messageId = await bench.turn(opened, bench.prompts.say("shared"));
      await client.turnEnd(messageId);
      const [one, other] = [opened.client, client].map((each) => placesOf(each.entries(opened.sessionId)));
      for (const [place, text] of other ?? []) expectEqual(text, one?.get(place) ?? text, `the entry at ${place}`);
      expectThat((other?.size ?? 0) > 3, "the second connection heard nothing of the turn");
    },
    ["turns", "positions"],
  ),

  daemonCase(
    "P9.3-snapshot",
    "the first entry after load_session is the one after its position",
    async (bench) => {
      const opened = await bench.session();
      const messageId = await bench.prompt(opened, bench.prompts.stream(200));
      const { client, snapshot } = await bench.join(opened.sessionId);
      await opened.client.turnEnd(messageId);
      await bench.turn({ client, sessionId: opened.sessionId }, bench.prompts.say("more"));
      const positions = client.positions(opened.sessionId);
      expectEqual(positions, runFrom(snapshot.position as WirePosition, positions.length), "positions");
    },
    ["turns", "positions"],
  ),

  daemonCase(
    "P9.4-epoch",
    "a restarted daemon goes on under a larger epoch",
    async (bench) => {
      const opened = await bench.session();
      await bench.turn(opened, bench.prompts.say("before"));
      await bench.harness.restart?.("killed");
      const { client } = await bench.join(opened.sessionId);
      await bench.turn({ client, sessionId: opened.sessionId }, bench.prompts.say("after"));
      const [before, after] = [opened.client, client].map((one) => one.positions(opened.sessionId));
      const last = before?.at(-1)?.epoch ?? 0;
      expectThat((after?.[0]?.epoch ?? 0) > last, `the epoch was ${last} and is ${String(after?.[0]?.epoch)}`);
    },
    ["turns", "positions", "restart"],
  ),

  daemonCase(
    "P9.5-resume",
    "resume_session replays each entry after the position, once, then goes on",
    async (bench) => {
      const opened = await bench.session();
      const { client: witness } = await bench.join(opened.sessionId);
      const messageId = await bench.turn(opened, bench.prompts.stream(50));
      await witness.turnEnd(messageId);
      const all = witness.entries(opened.sessionId);
      const after = all[10]?._meta;
      const client = await bench.client();
      const result = await client.result("resume_session", { sessionId: opened.sessionId, after: bare(after) });
      const next = await bench.turn({ client, sessionId: opened.sessionId }, bench.prompts.say("and on"));
      await witness.turnEnd(next);
      const resumed = client.entries(opened.sessionId).map(whole);
      const expected = witness.entries(opened.sessionId).slice(11).map(whole);
      expectEqual(resumed.slice(0, expected.length), expected.slice(0, resumed.length), "entries");
      expectThat(
        resumed.some((text) => text.includes(next)),
        "the resumed connection did not hear the next turn",
      );
      expectThat(
        comparable(result.position) >= comparable(all.at(-1)?._meta),
        "position is not the last entry there is",
      );
      expectEqual([result.workingState, result.isAgentLoopInProgress], ["idle", false], "the state in the result");
    },
    ["turns", "positions", "resume"],
  ),

  daemonCase(
    "P9.6-resume-pending",
    "resume_session tells what is pending",
    async (bench) => {
      const opened = await bench.session();
      const messageId = await bench.prompt(opened, bench.prompts.permission);
      const request = await opened.client.serverRequest(opened.sessionId);
      const client = await bench.client();
      const after = bare(request._meta);
      const result = await client.result("resume_session", { sessionId: opened.sessionId, after });
      const pending = result.pendingPermissions as { requestId: string }[];
      expectEqual(
        pending.map(({ requestId }) => requestId),
        [request.id],
        "ids of what is pending",
      );
      expectEqual(result.isAgentLoopInProgress, true, "isAgentLoopInProgress");
      client.respond(request.id, { selectedOption: "cancel", sessionId: opened.sessionId });
      await client.turnEnd(messageId);
    },
    ["turns", "inbox", "positions", "resume"],
  ),

  daemonCase(
    "P9.7-too-old",
    "a position that the journal does not have is RESUME_TOO_OLD",
    async (bench) => {
      const opened = await bench.session();
      await bench.turn(opened, bench.prompts.say("some entries"));
      const last = opened.client.positions(opened.sessionId).at(-1) ?? { epoch: 0, seq: 0 };
      for (const after of [
        { ...last, seq: last.seq + 100_000 },
        { epoch: last.epoch + 1, seq: 1 },
        { epoch: last.epoch - 1, seq: 2 },
      ]) {
        const { error } = await opened.client.call("resume_session", { sessionId: opened.sessionId, after });
        expectEqual(
          [error?.code, error?.data?.code],
          [-32_603, "RESUME_TOO_OLD"],
          `the refusal of ${JSON.stringify(after)}`,
        );
      }
    },
    ["turns", "positions", "resume"],
  ),

  daemonCase(
    "P9.8-replaces",
    "attaching again replaces what the connection had: no entry comes twice",
    async (bench) => {
      const opened = await bench.session();
      await bench.turn(opened, bench.prompts.say("first"));
      const after = opened.client.positions(opened.sessionId).at(-1);
      await opened.client.result("resume_session", { sessionId: opened.sessionId, after });
      await bench.join(opened.sessionId, { client: opened.client });
      await bench.turn(opened, bench.prompts.say("second"));
      const seqs = opened.client.positions(opened.sessionId).map(({ seq }) => seq);
      expectEqual(seqs.length, new Set(seqs).size, "entries, and places they are from");
    },
    ["turns", "positions", "resume"],
  ),

  daemonCase(
    "P9.9-resume-across-restart",
    "after a restart the old journal is replayed, and each turn in it ends",
    async (bench) => {
      const opened = await bench.session();
      const messageId = await bench.prompt(opened, bench.prompts.endless);
      const from = opened.client.waitFor((frame) => wordFor(frame) === "assistant_text_delta", "the first words");
      const after = bare((await from)._meta);
      await bench.harness.restart?.("killed");
      const client = await bench.client();
      await client.result("resume_session", { sessionId: opened.sessionId, after });
      await client.turnEnd(messageId);
      const ends = client.entries(opened.sessionId).filter((frame) => isEndOf(messageId, frame));
      expectEqual(ends.length, 1, "ends of the turn");
    },
    ["turns", "positions", "resume", "restart"],
  ),
];

function comparable(position: unknown): number {
  return (position as WirePosition | undefined)?.seq ?? -1;
}

function whole({ _meta, params }: WireFrame): string {
  return JSON.stringify([_meta?.epoch, _meta?.seq, params]);
}

function placesOf(entries: readonly WireFrame[]): Map<string, string> {
  return new Map(entries.map((entry) => [`${entry._meta?.epoch}/${entry._meta?.seq}`, JSON.stringify(entry.params)]));
}

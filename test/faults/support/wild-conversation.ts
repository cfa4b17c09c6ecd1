import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { Ledger } from "@daemon-sdk/testing";
import { type ChaosConnection, ChaosProxy } from "@daemon-sdk/testing/node";
import { within } from "../../stress/check.js";
import type { FaultContext } from "../scenario.js";
import type { ForegroundDaemon } from "./foreground-daemon.js";
import { journalHeads } from "./journal-heads.js";
import { PositionedDial } from "./positioned-dial.js";

const SESSIONS = 10;
/** Attaching all sessions takes some of them. */
const LONGEST_LINK_BYTES = 100_000;
const SOON_MS = 60_000;

/** What came of a wild conversation. */
export interface WildOutcome {
  readonly turns: number;
  readonly links: number;
  readonly interrupted: number;
}

/** A connection whose links all break after some bytes of one direction or the other, the first of a link included. */
interface BrokenClient extends AsyncDisposable {
  readonly proxy: ChaosProxy;
  readonly connection: DaemonConnection;
  readonly dial: PositionedDial;
}

async function openBroken(daemon: ForegroundDaemon, seed: number): Promise<BrokenClient> {
  const target = { path: daemon.socketPath };
  // Not the first: connecting is not what is looked at.
  const onConnection = ({ number, random, toClient, toServer }: ChaosConnection) => {
    if (number === 1) return;
    // Clients send less than they receive.
    if (random.chance(0.5)) toClient.cutAt(random.integer(0, LONGEST_LINK_BYTES));
    else toServer.cutAt(random.integer(0, LONGEST_LINK_BYTES / 10));
  };
  const proxy = await ChaosProxy.start({ target, seed, onConnection });
  const dial = new PositionedDial();
  const url = `ws://127.0.0.1:${proxy.port}`;
  const connection = await connectDaemon({ url, token: daemon.token, transport: dial.dial });
  const dispose = async () => {
    await connection.close();
    await proxy.close();
  };
  return { proxy, connection, dial, [Symbol.asyncDispose]: dispose };
}

/**
 * Two clients on the same sessions, whose links break all the time, at bytes by chance; turns that talk, ask, act and are
 * interrupted; both clients answer. At its end everybody was given everything once, and everything was done once.
 */
export async function converseWildly(
  daemon: ForegroundDaemon,
  turns: number,
  { seed, random }: FaultContext,
): Promise<WildOutcome> {
  await using talker = await openBroken(daemon, seed);
  await using onlooker = await openBroken(daemon, seed + 1);
  const ledger = new Ledger({ seed });
  const permissionHandler = () => "proceed_once" as const;
  const sessions: DaemonSession[] = [];
  for (let index = 0; index < SESSIONS; index += 1) {
    const session = await talker.connection.createSession({ cwd: daemon.workspace, permissionHandler });
    const looking = await onlooker.connection.resumeSession(session.sessionId, { permissionHandler });
    talker.dial.follow(session, ledger, "talker");
    onlooker.dial.follow(looking, ledger, "onlooker");
    sessions.push(session);
  }
  await talker.connection.listOpenedSessions();
  await onlooker.connection.listOpenedSessions();
  for (const { proxy } of [talker, onlooker]) proxy.cutAll();
  const expected: string[] = [];
  let interrupted = 0;
  const talk = async (session: DaemonSession, own: number) => {
    for (let turn = own; turn < turns; turn += SESSIONS) {
      const kind = random();
      const messageId = crypto.randomUUID();
      ledger.promise(messageId, session.sessionId);
      if (kind < 0.3) expected.push(`turn ${turn}`);
      const subtype = await playTurn(session, turn, kind, messageId);
      if (subtype === "interrupted") interrupted += 1;
      assert.ok(
        subtype === "success" || (subtype === "interrupted" && kind >= 0.8),
        `turn ${turn} ended as ${subtype}`,
      );
    }
  };
  await within(SOON_MS, Promise.all(sessions.map(talk)));
  await settleAt(ledger, daemon, sessions, [talker, onlooker]);
  assert.deepEqual(ledger.verify(), []);
  const files = readdirSync(daemon.workspace).filter((name) => name.startsWith("wild-"));
  const written = files.flatMap((name) => readFileSync(join(daemon.workspace, name), "utf8").trim().split("\n"));
  assert.deepEqual(written.sort(byText), expected.sort(byText), "each question's answer acted once");
  const links = talker.proxy.accepted + onlooker.proxy.accepted;
  return { turns, links, interrupted };
}

function promptOf(turn: number, kind: number): string {
  if (kind < 0.3) return `say now ; then append wild-${turn % SESSIONS}.txt: turn ${turn}\\n ; then say done`;
  return kind < 0.8 ? "count 40 every 2" : "count 4000 every 2";
}

async function playTurn(session: DaemonSession, turn: number, kind: number, messageId: string): Promise<string> {
  const ends: string[] = [];
  let deltas = 0;
  let interrupting = Promise.resolve();
  for await (const event of session.stream(promptOf(turn, kind), { messageId, includePartialMessages: true })) {
    assert.notEqual(event.type, "gap", "nothing was pruned, so there is no gap");
    if (event.type === "result") ends.push(event.subtype);
    if (event.type === "assistant_text_delta" && ++deltas === 10 && kind >= 0.8) interrupting = session.interrupt();
  }
  await interrupting;
  assert.equal(ends.length, 1, "one result");
  return ends[0] ?? "";
}

/** Waits until both clients have reached the end of every journal, and records the ends in the ledger. */
async function settleAt(
  ledger: Ledger,
  daemon: ForegroundDaemon,
  sessions: readonly DaemonSession[],
  clients: readonly BrokenClient[],
): Promise<void> {
  const heads = await journalHeads(
    daemon,
    sessions.map((session) => session.sessionId),
  );
  for (const [sessionId, head] of heads) ledger.head(sessionId, head);
  // A call is made on a link whose sessions are attached; what they missed comes before the second one's answer.
  const late = /stopped at|got nothing/;
  const isLate = () => ledger.verify().some((fault) => late.test(fault));
  for (let round = 0; round < 50 && isLate(); round += 1) {
    for (const { connection } of clients) await connection.listOpenedSessions();
  }
}

function byText(a: string, b: string): number {
  return a.localeCompare(b);
}

import { CLIENT_LIMITS, type Credit, type Position } from "@daemon-sdk/protocol";
import { type FakeCall, FakeClock, FakeDaemon, type FakeSession, rpcFault } from "@daemon-sdk/testing";
import { describe, expect, test } from "vitest";
import { connectDaemon, type DaemonConnection, type DaemonSession, type DroidStreamEvent } from "../../src/index.js";
import { collect } from "../support.js";

/** `lose`: the link breaks. `return`: another is there, and the session's call is sent on it. `answer`: that call is answered. */
type LinkStep = "lose" | "return" | "answer";
/** `attach`: a consumer begins. `news`: a turn of another client runs from its beginning to its end. */
type Step = LinkStep | "attach" | "news";

/** What a connection can go through until the session is live again. */
const WAYS: readonly (readonly LinkStep[])[] = [
  ["lose", "return", "answer"],
  ["lose", "return", "lose", "return", "answer"],
  ["lose", "return", "answer", "lose", "return", "answer"],
];

/** Every order in which a consumer begins, and another client's turn runs, on one of these ways. */
const INTERLEAVINGS: readonly (readonly Step[])[] = WAYS.flatMap((way) =>
  withStep(way, "attach").flatMap((steps) => [steps, ...withStep(steps, "news")]),
);

function withStep(steps: readonly Step[], step: Step): Step[][] {
  return Array.from({ length: steps.length + 1 }, (_, place) => [
    ...steps.slice(0, place),
    step,
    ...steps.slice(place),
  ]);
}

/** More time steps than any run takes: a run that needs them hangs. */
const MAX_STEPS = 60;
const OWN = ["one ", "two "];
const FOREIGN = "foreign";

/**
 * A daemon that handles the calls of one connection side by side, as ours does: those that attach a session take their time, and
 * what is sent behind them is handled before them.
 */
class SlowDaemon {
  readonly clock = new FakeClock();
  readonly fake = new FakeDaemon({ clock: this.clock });
  /** How many calls that attach a session came. */
  calls = 0;
  isTooOld = false;
  #gates: (() => void)[] = [];

  constructor() {
    this.fake.answer("follow_session", (call) => attach(call, sessionOf(call).journal.position.seq));
    this.fake.answer("resume_session", async (call) => {
      await this.#gate();
      const after = call.params.after as Position;
      const isThere = !this.isTooOld && sessionOf(call).journal.reachesBackTo(after);
      if (!isThere) throw rpcFault(-32603, "too old", { code: "RESUME_TOO_OLD" });
      return attach(call, after.seq);
    });
    this.fake.answer("load_session", async (call) => {
      await this.#gate();
      const { messages, settings, journal } = sessionOf(call);
      return { session: { messages }, settings, ...attach(call, journal.position.seq) };
    });
  }

  lose(): void {
    this.#gates = [];
    this.fake.cut();
  }

  /** Whether a call that attaches a session waits. */
  get isHolding(): boolean {
    return this.#gates.length > 0;
  }

  answer(): void {
    for (const open of this.#gates.splice(0)) open();
  }

  #gate(): Promise<void> {
    this.calls += 1;
    return new Promise((resolve) => this.#gates.push(resolve));
  }
}

function sessionOf({ daemon, params }: FakeCall): FakeSession {
  const session = daemon.sessions.get(String(params.sessionId));
  if (session === undefined) throw new TypeError("No such session");
  return session;
}

function attach(call: FakeCall, afterSeq: number): object {
  const session = sessionOf(call);
  const attached = session.attach(call.link, afterSeq, call.params.credit as Credit);
  call.afterReply(() => attached.pump());
  const { isBusy: isAgentLoopInProgress, workingState, journal } = session;
  return {
    position: journal.position,
    isAgentLoopInProgress,
    workingState,
    pendingPermissions: [],
    pendingAskUserRequests: [],
  };
}

/** One session over one connection to a {@link SlowDaemon}. */
class Run {
  /** What the stream or the listener got. */
  readonly events: DroidStreamEvent[] = [];
  readonly heard: unknown[] = [];
  isDone = false;
  failure: unknown;
  #calls = 0;

  private constructor(
    readonly slow: SlowDaemon,
    readonly connection: DaemonConnection,
    readonly session: DaemonSession,
  ) {}

  static async start(): Promise<Run> {
    const slow = new SlowDaemon();
    const { fake, clock } = slow;
    fake.onPrompt((prompt) => {
      for (const word of OWN) prompt.delta(word);
      prompt.message();
    });
    const connection = await connectDaemon({ transport: fake.dial, apiKey: "fk-test", clock });
    return new Run(slow, connection, await connection.createSession());
  }

  get on(): FakeSession {
    return this.slow.fake.sessions.get(this.session.sessionId) as FakeSession;
  }

  async go(steps: readonly Step[], begin: () => void, isSettled: boolean): Promise<void> {
    for (const step of steps) {
      if (step === "lose" || step === "answer") this.slow[step]();
      else if (step === "return") await this.#return();
      else if (step === "attach") begin();
      else this.#runForeignTurn();
      if (isSettled) await this.slow.clock.settle();
    }
  }

  listen(): void {
    this.session.onNotification(({ textDelta }) => this.heard.push(textDelta), { type: "assistant_text_delta" });
  }

  read(): void {
    void (async () => {
      try {
        const stream = this.session.stream("go", { includePartialMessages: true });
        for await (const event of stream) this.events.push(event);
      } catch (error) {
        this.failure = error;
      }
      this.isDone = true;
    })();
  }

  say(textDelta: string): void {
    this.on.notify({ type: "assistant_text_delta", messageId: "m", blockIndex: 0, textDelta });
  }

  /** Lets time pass, and answers whatever is asked, until the stream has ended or nothing can be expected any more. */
  async finish(): Promise<void> {
    for (let steps = 0; !this.isDone && steps < MAX_STEPS; steps += 1) {
      this.slow.answer();
      await this.slow.clock.settle();
      if (!this.slow.isHolding && !this.isDone) await this.slow.clock.advanceToNext();
    }
  }

  async #return(): Promise<void> {
    for (let steps = 0; this.slow.calls === this.#calls && steps < MAX_STEPS; steps += 1) {
      await this.slow.clock.advanceToNext();
    }
    this.#calls = this.slow.calls;
  }

  #runForeignTurn(): void {
    this.on.notify({ type: "droid_working_state_changed", newState: "thinking" });
    this.say(FOREIGN);
    this.on.notify({ type: "agent_turn_completed", reason: "completed", turnId: FOREIGN });
    this.on.notify({ type: "droid_working_state_changed", newState: "idle" });
  }
}

/** What a stream got: its deltas, and how it ended. */
function told({ events, failure }: Run): string[] {
  const deltas = events.flatMap((event) => (event.type === "assistant_text_delta" ? [event.text] : []));
  return [...deltas, failure === undefined ? String(events.at(-1)?.type) : String(failure)];
}

describe.each([
  { when: "in one go", isSettled: false },
  { when: "each step when all is quiet", isSettled: true },
])("a link that is lost, $when, and a session that is", ({ isSettled }) => {
  test.each([
    { how: "resumed", isTooOld: false },
    { how: "loaded, because its place is gone", isTooOld: true },
  ])(
    "$how: a stream that begins at any moment has each event of its turn once, and ends with the result",
    async ({ isTooOld }) => {
      for (const steps of INTERLEAVINGS) {
        const run = await Run.start();
        run.slow.isTooOld = isTooOld;
        await run.go(steps, () => run.read(), isSettled);
        await run.finish();
        // Where the link is lost before it is known where the stream begins, nothing may be skipped: the prompt may have been heard.
        const all = told(run);
        const own = isSettled ? all : all.filter((text) => text !== FOREIGN);
        const hasGap = run.events.some(({ type }) => type === "gap");
        expect([steps, hasGap ? own.slice(-1) : own]).toEqual([steps, hasGap ? ["result"] : [...OWN, "result"]]);
        await run.connection.close();
      }
    },
  );

  test.each([
    { how: "resumed", isTooOld: false },
    { how: "loaded, because its place is gone", isTooOld: true },
  ])(
    "$how: a listener that begins at any moment hears what comes from then on, each once, in order",
    async ({ isTooOld }) => {
      for (const steps of INTERLEAVINGS) {
        const run = await Run.start();
        run.slow.isTooOld = isTooOld;
        await run.go(steps, () => run.listen(), isSettled);
        await run.finish();
        for (const text of ["live", "on"]) run.say(text);
        await run.slow.clock.settle();
        expect([steps, run.heard.filter((text) => text !== FOREIGN)]).toEqual([steps, ["live", "on"]]);
        const isAfter = steps.indexOf("news") > steps.indexOf("attach");
        const isMissed = isTooOld || (!isSettled && steps[steps.indexOf("attach") + 1] === "news");
        if (isAfter && !isMissed) expect([steps, run.heard]).toEqual([steps, [FOREIGN, "live", "on"]]);
        expect(run.heard.length).toBeLessThanOrEqual(3);
        await run.connection.close();
      }
    },
  );
});

test("a reader that takes what waits while its session is resumed has a whole window again, however often", async () => {
  const { creditEvents } = CLIENT_LIMITS;
  const run = await Run.start();
  const { clock, fake } = run.slow;
  const words = Array.from({ length: creditEvents * 4 }, (_, index) => `${index} `);
  fake.onPrompt((prompt) => {
    for (const word of words) prompt.delta(word);
    prompt.message();
  });
  const stream = run.session.stream("go", { includePartialMessages: true });
  const events: (DroidStreamEvent | undefined)[] = [];
  const take = async (count: number): Promise<void> => {
    for (let taken = 0; taken < count; taken += 1) events.push((await stream.next()).value);
  };
  await take(1);
  for (let round = 1; round <= 3; round += 1) {
    await clock.settle();
    await run.go(["lose", "return"], () => {}, true);
    const taking = take(creditEvents * round - events.length);
    await clock.settle();
    expect(events.length).toBe(creditEvents * round);
    await taking;
    run.slow.answer();
  }
  events.push(...(await collect(stream)));
  expect(events.flatMap((event) => (event?.type === "assistant_text_delta" ? [event.text] : []))).toEqual(words);
  await run.connection.close();
});

test("a stream that begins while its session is attached anew on a link in use sends its prompt behind that, and ends", async () => {
  const run = await Run.start();
  const { clock, fake } = run.slow;
  fake.whenPrompted("lag").streams(Array.from({ length: CLIENT_LIMITS.creditEvents * 2 }, () => "x"));
  const lagging = run.session.stream("lag", { includePartialMessages: true });
  await lagging.next();
  await clock.settle();
  // What it was not sent is gone when it wants more: the daemon detaches the session, and the client loads it.
  run.on.journal.prune();
  for (let taken = 0; !run.slow.isHolding && taken < CLIENT_LIMITS.creditEvents; taken += 1) {
    await lagging.next();
    await clock.settle();
  }
  expect(run.slow.isHolding).toBe(true);
  await lagging.return();
  run.read();
  await clock.settle();
  expect(fake.received.prompts().map(({ text }) => text)).toEqual(["lag"]);
  await run.finish();
  expect(told(run)).toEqual([...OWN, "result"]);
  await run.connection.close();
});

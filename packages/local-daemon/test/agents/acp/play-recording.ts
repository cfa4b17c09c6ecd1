import { PROCESS_LOOP } from "../../../src/agents/drivers/output-share.js";
import { DrivenAgent, type DriverEvent, START } from "./driven-agent.js";
import type { RecordedUpdate } from "./own-texts.js";
import { isEnd, type RecordedFrame, type Recording, versionOf } from "./recording.js";

/** One played prompt: what the agent wrote for it, and what the driver made of it. */
export interface PlayedTurn {
  readonly events: readonly DriverEvent[];
  /** Updates of the agent from the prompt to its answer. */
  readonly updates: readonly RecordedUpdate[];
  readonly answer: RecordedFrame | undefined;
  readonly wasCancelled: boolean;
}

export interface Played {
  readonly events: readonly DriverEvent[];
  readonly turns: readonly PlayedTurn[];
  /** Lines that the driver wrote to the agent. */
  readonly written: readonly RecordedFrame[];
}

const OPENING = new Set(["session/new", "session/load", "session/resume"]);

/** Plays a recording as the agent of a driver, and does what its recorder did: opens, prompts, answers, cancels. */
export async function playRecording({ lines }: Recording): Promise<Played> {
  return new Player(lines).play();
}

/** Waits until both directions are quiet: streams and promises need a few turns of the loop. */
async function settle(): Promise<void> {
  // Output is read within the share of the loop that an agent gets.
  for (let quiet = 0; quiet < 6; quiet = PROCESS_LOOP.isIdle ? quiet + 1 : 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

class Player {
  readonly #lines: Recording["lines"];
  readonly #events: DriverEvent[] = [];
  readonly #written: RecordedFrame[] = [];
  readonly #turns: PlayedTurn[] = [];
  /** Our ids of the recorder's requests, by its ids. */
  readonly #ids = new Map<unknown, unknown>();
  readonly #skipped = new Set<unknown>();
  #driven: DrivenAgent | undefined;
  #opening: Promise<unknown> | undefined;
  #prompt:
    | {
        readonly recordedId: unknown;
        /** Place of the prompt in the recording, and how many events came before it. */
        readonly place: number;
        readonly from: number;
        updates: RecordedUpdate[];
        isCancelled: boolean;
      }
    | undefined;
  #sessionId: unknown;

  constructor(lines: Recording["lines"]) {
    this.#lines = lines;
  }

  async play(): Promise<Played> {
    for (const [place, { dir, event, frame, raw }] of this.#lines.entries()) {
      this.#place = place;
      if (dir === "event") await this.#happened(event);
      else if (dir === "a->c") this.#agentWrites(frame, raw);
      else if (frame !== undefined) await this.#recorderWrote(frame);
      await settle();
    }
    await this.#exit();
    return { events: this.#events, turns: this.#turns, written: this.#written };
  }

  async #happened(event: string | undefined): Promise<void> {
    if (event === "spawn") {
      await this.#exit();
      this.#start();
    }
    if (event === "exit") await this.#exit();
  }

  #start(): void {
    this.#ids.clear();
    this.#skipped.clear();
    this.#awaited.clear();
    this.#isOpened = false;
    this.#driven = new DrivenAgent({
      spec: { protocolVersion: versionOf({ lines: this.#lines }) },
      onFrame: (frame) => this.#driverWrote(frame),
      onEvent: (event) => {
        this.#events.push(event);
        if (event.kind === "ended") this.#ended();
      },
    });
  }

  async #exit(): Promise<void> {
    this.#driven?.endOutput();
    await settle();
    this.#driven?.exit({ expected: true });
    await settle();
    await this.#opening?.catch(() => {});
    this.#driven = undefined;
  }

  #ended(): void {
    const prompt = this.#prompt;
    if (prompt === undefined) throw new Error("A turn ended that nobody began");
    this.#prompt = undefined;
    const version = versionOf({ lines: this.#lines });
    const answer = this.#lines.slice(prompt.place).find((line) => isEnd(line, prompt.recordedId, version))?.frame;
    const events = this.#events.slice(prompt.from);
    this.#turns.push({ events, updates: prompt.updates, answer, wasCancelled: prompt.isCancelled });
  }

  #driverWrote(frame: RecordedFrame): void {
    this.#written.push(frame);
    if (frame.method === undefined || frame.id === undefined) return;
    const recorded = this.#awaited.get(frame.method);
    if (recorded !== undefined) {
      this.#awaited.delete(frame.method);
      this.#ids.set(recorded, frame.id);
    } else this.#write({ id: frame.id, result: {} });
  }

  /** Methods of the recorder that the driver is about to call, with the recorder's ids. */
  readonly #awaited = new Map<string, unknown>();

  #agentWrites(frame: RecordedFrame | undefined, raw: string | undefined): void {
    if (frame === undefined) {
      this.#driven?.line(String(raw));
      return;
    }
    if (frame.method !== undefined) {
      this.#noteUpdate(frame);
      this.#write(frame);
      return;
    }
    if (this.#skipped.has(frame.id) || !this.#ids.has(frame.id)) return;
    this.#write({ ...frame, id: this.#ids.get(frame.id) as number });
  }

  #noteUpdate({ params }: RecordedFrame): void {
    if (this.#prompt === undefined || params?.sessionId !== this.#sessionId || params === undefined) return;
    if (params.update !== undefined) this.#prompt.updates.push(params.update as RecordedUpdate);
  }

  #write(frame: RecordedFrame): void {
    this.#driven?.write(frame);
  }

  async #recorderWrote(frame: RecordedFrame): Promise<void> {
    const { method } = frame;
    if (method === undefined) this.#answer(frame);
    else if (method === "initialize" && !this.#isOpened) this.#initialize(frame);
    else if (OPENING.has(method)) this.#skipUnlessOpening(frame);
    else if (method === "session/prompt") await this.#sendPrompt(frame);
    else if (method === "session/cancel") this.#cancel(frame);
    else this.#skipped.add(frame.id);
  }

  /** The driver opens in one go what the recorder opened in two steps. */
  #initialize(frame: RecordedFrame): void {
    this.#isOpened = true;
    this.#awaited.set("initialize", frame.id);
    const next = this.#lines
      .slice(this.#place)
      .find((line) => line.dir === "c->a" && OPENING.has(line.frame?.method ?? ""));
    if (this.#driven === undefined) return;
    const { method, params, id } = next?.frame ?? {};
    this.#openingId = id;
    if (method !== undefined) this.#awaited.set(method, id);
    const resume = method === "session/new" || params === undefined ? {} : { resume: String(params.sessionId) };
    this.#opening = this.#driven.agent.open({ ...START, ...resume }).then(({ agentSessionId }) => {
      this.#sessionId = agentSessionId;
    });
    this.#opening.catch(() => {});
  }

  #skipUnlessOpening({ id }: RecordedFrame): void {
    if (id !== this.#openingId) this.#skipped.add(id);
  }

  #place = 0;
  #isOpened = false;
  #openingId: unknown;

  async #sendPrompt(frame: RecordedFrame): Promise<void> {
    await this.#opening?.catch(() => {});
    const isOurs = frame.params?.sessionId === this.#sessionId && this.#prompt === undefined;
    if (!isOurs || this.#driven === undefined) {
      this.#skipped.add(frame.id);
      return;
    }
    this.#awaited.set("session/prompt", frame.id);
    const [place, from] = [this.#place, this.#events.length];
    this.#prompt = { recordedId: frame.id, place, from, updates: [], isCancelled: false };
    const { sessionId } = START;
    await this.#driven.agent.prompt({ sessionId, text: "prompt", messageId: `m-${String(frame.id)}` });
  }

  #cancel(frame: RecordedFrame): void {
    if (frame.params?.sessionId !== this.#sessionId) return;
    if (this.#prompt !== undefined) this.#prompt.isCancelled = true;
    void this.#driven?.agent.interrupt();
  }

  /** The recorder's answer to a question; the driver has the same options under our values. */
  #answer({ result }: RecordedFrame): void {
    const outcome = (result as { outcome?: { outcome: string; optionId?: string } } | undefined)?.outcome;
    const asked = this.#events.filter((event) => event.kind === "request");
    const last = asked[this.#answered];
    if (outcome === undefined || last?.kind !== "request") return;
    this.#answered++;
    const options = last.request.params.options as { label: string; value: string }[];
    const isReject = outcome.outcome === "cancelled" || /reject|cancel|deny|abort/u.test(outcome.optionId ?? "");
    const always = options.find(({ value }) => value === "proceed_always" || value.startsWith("acp:"));
    const isAlways = /always/u.test(outcome.optionId ?? "");
    const value = isReject ? "cancel" : isAlways && always !== undefined ? always.value : "proceed_once";
    last.request.respond({ selectedOption: value });
  }

  #answered = 0;
}

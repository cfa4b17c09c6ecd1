import { METHODS, ProtocolEngine, silentLogger } from "@daemon-sdk/protocol";
import { AcpFace } from "../../src/acp-face/index.js";
import { PROCESS_LOOP } from "../../src/agents/drivers/output-share.js";
import { idleUpdateOf, isEnd, type RecordedFrame, type Recording, versionOf } from "../agents/acp/recording.js";
import { Harness } from "../sessions/harness.js";
import { Editor, type Frame, type Update } from "./editor.js";
import { firstUpdate } from "./first-updates.js";
import { RecordedAgent } from "./recorded-agent.js";
import { textsOf } from "./told.js";

/** One prompt of the recorder: how the recorded agent answered it, and what the face answered. */
export interface PlayedPrompt {
  readonly recorded: RecordedFrame | undefined;
  readonly answers: readonly Frame[];
  readonly wasCancelled: boolean;
}

/** What came of a recording for one session. */
export interface PlayedSession {
  readonly recorded: Update[];
  readonly sent: Update[];
  /** What the face sent before the answers to `session/load`. */
  readonly replayed: Update[];
  /** The agent's texts before the last `session/load`; empty without one. */
  before: string;
  id: string | undefined;
  /** How many prompts the recorder sent to it. */
  prompts: number;
}

export interface PlayedClient {
  readonly frames: readonly Frame[];
  readonly prompts: readonly PlayedPrompt[];
  readonly sessions: readonly PlayedSession[];
}

/** Plays a recording as the client of the face, with the same recording as the agent behind the daemon. */
export async function playAsClient(recording: Recording): Promise<PlayedClient> {
  const player = new ClientPlayer(recording.lines);
  return player.play();
}

interface OpenPrompt {
  readonly id: unknown;
  readonly sessionId: unknown;
  readonly recorded: RecordedFrame | undefined;
  /** How many frames the face had sent before. */
  readonly from: number;
  /** … and until the recorder's process ended; the next one counts anew. */
  until?: number;
  wasCancelled: boolean;
}

class ClientPlayer {
  readonly #lines: Recording["lines"];
  readonly #agent: RecordedAgent;
  readonly #frames: Frame[] = [];
  /** By the recorded ids. */
  readonly #sessions = new Map<unknown, PlayedSession & { isLoading: boolean; isLeft: boolean }>();
  readonly #prompts: OpenPrompt[] = [];
  /** Recorded questions of the agent that the recorder answered, in their order. */
  #questions: RecordedFrame[] = [];
  #answered = 0;
  #harness!: Harness;
  #face: AcpFace | undefined;
  #editor: Editor | undefined;
  #asked: Frame[] = [];
  #place = 0;

  constructor(lines: Recording["lines"]) {
    this.#lines = lines;
    this.#agent = new RecordedAgent(lines);
  }

  async play(): Promise<PlayedClient> {
    await using harness = await Harness.start({ spawner: this.#agent });
    this.#harness = harness;
    for (const [place, { dir, event, frame, raw }] of this.#lines.entries()) {
      this.#place = place;
      const isUpdate = frame?.method === "session/update";
      if (!isUpdate) await this.#settle();
      if (event === "spawn") this.#restart();
      if (dir === "a->c" && frame !== undefined) this.#agentWrote(frame);
      this.#agent.reached(place);
      if (dir === "c->a" && frame !== undefined) this.#recorderWrote(frame);
      else if (dir === "c->a") this.#face?.receive(String(raw));
      if (dir === "c->a" && frame !== undefined) await this.#reachesAgent(frame);
      if (!isUpdate) await this.#settle();
    }
    await this.#settle();
    this.#agent.exit();
    await this.#settle();
    this.#face?.end();
    return {
      frames: this.#frames,
      prompts: this.#prompts.map((one) => this.#played(one)),
      sessions: [...this.#sessions.values()],
    };
  }

  /** Waits until nothing moves: each side needs some turns of the loop. */
  async #settle(): Promise<void> {
    for (let quiet = 0, seen = -1; quiet < 14; quiet++) {
      const now = this.#frames.length + this.#agent.written;
      if (now !== seen || !PROCESS_LOOP.isIdle) quiet = 0;
      seen = now;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** A call that opens or starts an agent passes through files of this machine: it is waited for, until it is asked or answered. */
  async #reachesAgent({ method, id, params }: RecordedFrame): Promise<void> {
    if (method !== "session/new" && method !== "session/prompt") return;
    const from = this.#frames.length;
    const place = this.#place;
    const isBehind =
      method === "session/prompt" &&
      this.#prompts.some((one) => one.sessionId === params?.sessionId && one.id !== id && this.#isOpenPrompt(one));
    const isAnswered = () => this.#frames.slice(from).some((frame) => frame.method === undefined && frame.id === id);
    while (!isBehind && !isAnswered() && !this.#agent.hasAsked(place))
      await new Promise((resolve) => setImmediate(resolve));
  }

  #restart(): void {
    this.#face?.end();
    for (const prompt of this.#prompts) prompt.until ??= this.#frames.length;
    for (const session of this.#sessions.values()) session.isLeft = true;
    this.#asked = [];
    this.#questions = [];
    this.#answered = 0;
    const editor = new Editor(() => {});
    this.#editor = editor;
    this.#face = new AcpFace({
      output: { send: (text) => this.#received(editor, text), onceWritable: () => {} },
      logger: silentLogger,
      mustAuthenticate: false,
      isLasting: false,
      onEnd: () => {},
      connect: async () => {
        const engine = new ProtocolEngine(this.#harness.link(), { prefix: "daemon" });
        const { capabilities = {} } = await engine.request(METHODS.authenticate, { proof: "good", caller: "test" });
        return { engine, capabilities };
      },
    });
  }

  #received(editor: Editor, text: string): boolean {
    if (editor !== this.#editor) return true;
    editor.receive(text);
    const frame = editor.frames.at(-1) as Frame;
    this.#frames.push(frame);
    if (frame.method === "session/request_permission") this.#asked.push(frame);
    const session = [...this.#sessions.values()].find(({ id }) => id !== undefined && id === frame.params?.sessionId);
    if (frame.method === "session/update" && session !== undefined) {
      (session.isLoading ? session.replayed : session.sent).push(frame.params?.update as Update);
    }
    if (frame.method === undefined) this.#faceAnswered(frame);
    return true;
  }

  /** The face makes ids of its own for the recorder's sessions. */
  #faceAnswered(frame: Frame): void {
    const call = this.#callOf(frame.id, this.#place);
    if (call?.method === "session/new" && typeof frame.result?.sessionId === "string") {
      const recorded = this.#answerOf(frame.id);
      const { sessionId, availableCommands } = (recorded?.result ?? {}) as Record<string, unknown>;
      const session = this.#session(sessionId);
      session.id = frame.result.sessionId;
      // Version 2 lists the commands in its answer.
      if (availableCommands !== undefined) {
        session.recorded.push({ sessionUpdate: "available_commands_update", availableCommands });
      }
    }
    if (call?.method === "session/load" || call?.method === "session/resume")
      this.#session(call.params?.sessionId).isLoading = false;
  }

  #agentWrote(frame: RecordedFrame): void {
    const { method, params } = frame;
    const session = this.#sessions.get(params?.sessionId);
    const isSeen = this.#agent.isOpen(params?.sessionId) && session !== undefined && !session.isLeft;
    if (method === "session/update" && isSeen) session.recorded.push(firstUpdate(params?.update as Update));
    if (method !== "session/request_permission") return;
    this.#questions.push(frame);
    // Some agents announce a tool by the question about it.
    const about = (params?.subject ?? params) as { toolCall?: Record<string, unknown> } | undefined;
    const { status: _status, ...toolCall } = about?.toolCall ?? {};
    if (isSeen) session.recorded.push({ sessionUpdate: "tool_call_update", ...toolCall });
  }

  #recorderWrote(frame: RecordedFrame): void {
    const { method, id, params } = frame;
    if (method === undefined) {
      this.#answer(frame);
      return;
    }
    const known = this.#sessions.get(params?.sessionId);
    const sessionId = known?.id ?? params?.sessionId;
    if ((method === "session/load" || method === "session/resume") && known !== undefined) {
      known.isLoading = true;
      if (method === "session/load") {
        known.before = textsOf(known.sent);
        known.replayed.length = 0;
      }
      known.isLeft = false;
    }
    if (method === "session/close" && known !== undefined) known.isLeft = true;
    if (method === "session/cancel") this.#cancelled((prompt) => prompt.sessionId === params?.sessionId);
    if (method === "$/cancel_request") this.#cancelled((prompt) => prompt.id === params?.requestId);
    if (method === "session/prompt") {
      const recorded = this.#endOf(id);
      const prompt = { id, recorded, from: this.#frames.length };
      if (known !== undefined) known.prompts++;
      this.#prompts.push({ ...prompt, wasCancelled: false, sessionId: params?.sessionId });
    }
    const named = params === undefined ? {} : { params: ownParams(params, sessionId) };
    this.#face?.receive(JSON.stringify({ jsonrpc: "2.0", ...frame, ...named }));
  }

  #cancelled(isMeant: (prompt: OpenPrompt) => boolean): void {
    for (const prompt of this.#prompts) prompt.wasCancelled ||= isMeant(prompt) && this.#isOpenPrompt(prompt);
  }

  #isOpenPrompt({ id, from }: { id: unknown; from: number }): boolean {
    return !this.#frames.slice(from).some((frame) => frame.method === undefined && frame.id === id);
  }

  /** The recorder's answer to a question; the face has the same options in the same order under our values. */
  #answer({ result, error }: RecordedFrame): void {
    const { outcome } = (result ?? {}) as { outcome?: { outcome: string; optionId?: string } };
    if (outcome === undefined && error === undefined) return;
    const place = this.#answered++;
    const [recorded, asked] = [this.#questions[place], this.#asked[place]];
    if (recorded === undefined || asked === undefined || outcome === undefined) return;
    const options = recorded.params?.options as { optionId: string }[];
    const chosen = options.findIndex(({ optionId }) => optionId === outcome.optionId);
    const offered = asked.params?.options as { optionId: string }[];
    const ours = chosen === -1 ? outcome : { outcome: "selected", optionId: offered[chosen]?.optionId };
    this.#face?.receive(JSON.stringify({ jsonrpc: "2.0", id: asked.id, result: { outcome: ours } }));
  }

  #session(recordedId: unknown) {
    let session = this.#sessions.get(recordedId);
    if (session === undefined) {
      session = {
        recorded: [],
        sent: [],
        replayed: [],
        before: "",
        id: undefined,
        prompts: 0,
        isLoading: false,
        isLeft: false,
      };
      this.#sessions.set(recordedId, session);
    }
    return session;
  }

  /** The recorder's latest call of that id before a place. */
  #callOf(id: unknown, before: number): RecordedFrame | undefined {
    return this.#lines.findLast(
      ({ dir, frame }, place) => place <= before && dir === "c->a" && frame?.method !== undefined && frame.id === id,
    )?.frame;
  }

  /** The recorded agent's answer to the call at the present place. */
  #answerOf(id: unknown): RecordedFrame | undefined {
    const call = this.#lines.findLastIndex(
      ({ dir, frame }, place) =>
        place <= this.#place && dir === "c->a" && frame?.method !== undefined && frame.id === id,
    );
    const next = this.#lines.findIndex(({ event }, place) => place > call && event === "spawn");
    return this.#lines
      .slice(call + 1, next === -1 ? undefined : next)
      .find(({ dir, frame }) => dir === "a->c" && frame?.method === undefined && frame?.id === id)?.frame;
  }

  /** How the recorded agent ended the prompt at the present place, as an answer to the prompt. */
  #endOf(id: unknown): RecordedFrame | undefined {
    const answer = this.#answerOf(id);
    const version = versionOf({ lines: this.#lines });
    if (version === 1 || answer?.error !== undefined) return answer;
    const end = this.#lines.slice(this.#place).find((line) => isEnd(line, id, version))?.frame;
    return end === undefined ? undefined : { id: id as number, result: idleUpdateOf(end) };
  }

  #played({ id, from, until, recorded, wasCancelled }: OpenPrompt): PlayedPrompt {
    const answers = this.#frames.slice(from, until).filter((frame) => frame.method === undefined && frame.id === id);
    return { recorded, wasCancelled, answers };
  }
}

/** The params with an id of ours, and with a directory that is here. */
function ownParams(params: Readonly<Record<string, unknown>>, sessionId: unknown): object {
  const isElsewhere = typeof params.cwd === "string" && params.cwd.startsWith("/home/user/");
  return { ...params, ...("sessionId" in params && { sessionId }), ...(isElsewhere && { cwd: "/" }) };
}

import {
  type AddUserMessageParams,
  type AskUserParams,
  type AskUserResult,
  type DaemonCapabilities,
  type KnownSessionNotification,
  newId,
  type RequestPermissionParams,
  type RequestPermissionResult,
  type SessionMessage,
  type SessionNotification,
  type SessionSettings,
  type WorkingState,
} from "@daemon-sdk/protocol";
import { FakeInbox, type Settled } from "./inbox.js";
import type { FakeLink } from "./link.js";
import { FakePrompt } from "./prompt.js";

/** What a session of the fake daemon starts with; all of it optional. */
export interface FakeSessionOptions {
  /** Default: a new UUID. */
  readonly id?: string;
  readonly cwd?: string;
  readonly title?: string;
  /** The conversation so far. */
  readonly messages?: readonly SessionMessage[];
  readonly settings?: Partial<SessionSettings>;
}

/** How the daemon of a session behaves; see `FakeDaemonOptions`. */
export interface FakeSessionHost {
  readonly capabilities: DaemonCapabilities;
  readonly completesTurns: boolean;
  /** Plays one turn. */
  play(prompt: FakePrompt): void | Promise<void>;
}

/** A permission request as a test writes it: options default to "once" and "cancel". */
export type FakePermission = Omit<RequestPermissionParams, "sessionId" | "options"> &
  Partial<Pick<RequestPermissionParams, "options">>;

/** Questions as a test writes them. */
export type FakeQuestions = Omit<AskUserParams, "sessionId" | "toolCallId"> &
  Partial<Pick<AskUserParams, "toolCallId">>;

interface QueuedTurn {
  readonly requestId: string;
  readonly link: FakeLink;
  readonly params: AddUserMessageParams & { messageId: string };
}

const DEFAULT_OPTIONS: RequestPermissionParams["options"] = [
  { label: "Yes, once", value: "proceed_once" },
  { label: "No", value: "cancel" },
];

/** One session of the fake daemon: its conversation, its queue, and who follows it. */
export class FakeSession {
  readonly id: string;
  readonly cwd: string;
  title: string | undefined;
  readonly messages: SessionMessage[];
  settings: SessionSettings;
  /** False once `close_session` was called; `load_session` opens it again. */
  isOpen = true;
  archivedAt: string | undefined;
  readonly followers = new Set<FakeLink>();
  readonly inbox: FakeInbox;
  readonly #host: FakeSessionHost;
  readonly #bodies = new Map<string, string>();
  #queue: QueuedTurn[] = [];
  #turn: { prompt: FakePrompt; link: FakeLink } | undefined;
  #workingState: WorkingState = "idle";
  #seq = 0;

  constructor(host: FakeSessionHost, options: FakeSessionOptions = {}) {
    this.#host = host;
    this.id = options.id ?? newId();
    this.cwd = options.cwd ?? ".";
    this.title = options.title;
    this.messages = [...(options.messages ?? [])];
    this.settings = { modelId: "fake-model", reasoningEffort: "none", ...options.settings };
    this.inbox = new FakeInbox((settled) => this.#tellSettled(settled));
  }

  get workingState(): WorkingState {
    return this.#workingState;
  }

  get isBusy(): boolean {
    return this.#turn !== undefined;
  }

  /** Place of the newest entry; sent as `_meta` where the daemon offers `positions`. */
  get position(): { epoch: number; seq: number } {
    return { epoch: 1, seq: this.#seq };
  }

  get queuedMessages(): (AddUserMessageParams & { requestId: string })[] {
    return this.#queue.map(({ requestId, params }) => ({ ...params, requestId }));
  }

  /** Tells all followers; a message becomes part of the conversation. Notifications of any type pass. */
  notify(notification: KnownSessionNotification | SessionNotification): void {
    if (notification.type === "create_message") this.messages.push(notification.message as SessionMessage);
    const meta = this.#nextMeta();
    for (const link of this.followers) {
      link.notify("session_notification", { sessionId: this.id, notification }, meta);
    }
  }

  setWorkingState(state: WorkingState): void {
    if (state === this.#workingState) return;
    this.#workingState = state;
    this.notify({ type: "droid_working_state_changed", newState: state });
  }

  /**
   * Asks for permission and waits for the first answer of any client. It may be called with nobody there: the request is
   * then listed in the result of `load_session`.
   */
  askPermission(permission: FakePermission): Promise<RequestPermissionResult> {
    const params = { sessionId: this.id, options: DEFAULT_OPTIONS, ...permission };
    const { requestId, result } = this.inbox.askPermission(params);
    this.#ask(requestId, "request_permission", params);
    return result;
  }

  /** Asks questions and waits for the first answer of any client, as {@link askPermission} does. */
  askUser(questions: FakeQuestions): Promise<AskUserResult> {
    const params = { sessionId: this.id, toolCallId: newId(), ...questions };
    const { requestId, result } = this.inbox.askUser(params);
    this.#ask(requestId, "ask_user", params);
    return result;
  }

  /** Puts a prompt into the queue; {@link startNext} runs it. False: its id was used for another message. */
  submit(requestId: string, link: FakeLink, params: AddUserMessageParams): boolean {
    const messageId = params.messageId ?? newId();
    const body = JSON.stringify([params.text, params.images, params.files]);
    const known = this.#bodies.get(messageId);
    if (known !== undefined) return known === body;
    this.#bodies.set(messageId, body);
    this.#queue.push({ requestId, link, params: { ...params, messageId } });
    return true;
  }

  /** Ends the running turn as `cancelled`; its open requests are closed with cancel, queued prompts follow. */
  interrupt(): void {
    this.#turn?.prompt.end("cancelled");
  }

  close(except: FakeLink): void {
    this.#queue = [];
    this.interrupt();
    this.inbox.cancelAll();
    this.isOpen = false;
    this.followers.delete(except);
    this.notify({ type: "session_closed", timestamp: Date.now() });
    this.followers.clear();
  }

  /** Runs the oldest queued prompt, unless a turn runs: then it follows that. */
  startNext(): void {
    const next = this.#turn ? undefined : this.#queue.shift();
    if (!next) return;
    const prompt = new FakePrompt(this, next.requestId, next.params, {
      completesTurns: this.#host.completesTurns,
      onEnd: () => {
        this.#turn = undefined;
        this.startNext();
      },
    });
    this.#turn = { prompt, link: next.link };
    prompt.start();
    void this.#play(prompt);
  }

  async #play(prompt: FakePrompt): Promise<void> {
    try {
      await this.#host.play(prompt);
      prompt.end("completed");
    } catch (error) {
      prompt.fail(error);
    }
  }

  /** With an inbox every follower hears a request; a plain daemon asks the one that sent the prompt, else the latest. */
  #ask(requestId: string, method: string, params: object): void {
    const meta = this.#nextMeta();
    const followers = [...this.followers];
    if (this.#host.capabilities.inbox) {
      for (const link of followers) link.request(requestId, method, params, meta);
      return;
    }
    const asker = this.#turn?.link;
    const link = asker && this.followers.has(asker) ? asker : followers.at(-1);
    link?.request(requestId, method, params, meta);
  }

  #tellSettled(settled: Settled): void {
    const { requestId } = settled;
    if (settled.kind === "permission") {
      const toolUseIds = settled.params.toolUses.map(({ toolUse }) => toolUse.id);
      const { selectedOption } = settled.result;
      this.notify({ type: "permission_resolved", requestId, toolUseIds, selectedOption });
    } else if (this.#host.capabilities.inbox) {
      const { toolCallId } = settled.params;
      const cancelled = settled.result.cancelled === true;
      this.notify({ type: "ask_user_resolved", requestId, toolCallId, cancelled });
    }
  }

  #nextMeta(): { epoch: number; seq: number } | undefined {
    this.#seq++;
    return this.#host.capabilities.positions ? this.position : undefined;
  }
}

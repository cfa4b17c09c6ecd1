import {
  type AskUserParams,
  type InboundRequest,
  type Logger,
  METHODS,
  type RequestPermissionParams,
} from "@daemon-sdk/protocol";
import type { EditorPeer } from "./editor-peer.js";
import {
  elicitationAnswer,
  elicitationForm,
  permissionAnswer,
  permissionQuestion,
  questionText,
} from "./mapping/index.js";

/** Options of {@link OpenQuestions}. */
export interface OpenQuestionsOptions {
  readonly sessionId: string;
  readonly peer: EditorPeer;
  /** Whether the editor shows forms. */
  readonly hasForms: boolean;
  readonly logger: Logger;
  /** Sends an answer to the daemon. */
  respond(requestId: string, result: object): void;
  /** Shows a text in the editor. */
  say(text: string): void;
}

interface Question {
  readonly withdrawn: AbortController;
  /** The editor's answer, which may have been lost with a link. */
  answer?: object;
}

/** What one question looks like in the editor. */
interface Asked {
  readonly method: string;
  readonly params: object;
  answerOf(result: unknown): object;
}

/**
 * The requests to the user that one session's editor is asked. Each is asked once, whatever links come and go, and is withdrawn when
 * it was resolved by somebody else. An editor that refuses a question leaves it to the other clients.
 */
export class OpenQuestions {
  readonly #options: OpenQuestionsOptions;
  readonly #open = new Map<string, Question>();

  constructor(options: OpenQuestionsOptions) {
    this.#options = options;
  }

  ask(request: Pick<InboundRequest, "id" | "method" | "params">): void {
    const known = this.#open.get(request.id);
    if (known !== undefined) {
      if (known.answer !== undefined) this.#options.respond(request.id, known.answer);
      return;
    }
    const asked = this.#asked(request);
    if (asked === undefined) return;
    const question: Question = { withdrawn: new AbortController() };
    this.#open.set(request.id, question);
    void this.#await(request.id, question, asked);
  }

  /** The request has its outcome: nobody needs to answer any more. */
  resolved(requestId: unknown): void {
    const question = typeof requestId === "string" ? this.#open.get(requestId) : undefined;
    if (question === undefined) return;
    this.#open.delete(String(requestId));
    question.withdrawn.abort();
  }

  /** Keeps the questions of these ids, and withdraws all others. */
  retain(ids: ReadonlySet<string>): void {
    for (const id of [...this.#open.keys()]) if (!ids.has(id)) this.resolved(id);
  }

  async #await(id: string, question: Question, { method, params, answerOf }: Asked): Promise<void> {
    try {
      const result = await this.#options.peer.ask(method, params, question.withdrawn.signal);
      question.answer = answerOf(result);
      this.#options.respond(id, question.answer);
    } catch (error) {
      if (question.withdrawn.signal.aborted) return;
      this.#options.logger.debug({ error: String(error), method }, "an editor did not answer a question");
    }
  }

  #asked({ method, params }: Pick<InboundRequest, "method" | "params">): Asked | undefined {
    const { sessionId, hasForms } = this.#options;
    if (method === METHODS.requestPermission.name) {
      const question = permissionQuestion(params as unknown as RequestPermissionParams);
      const answerOf = (result: unknown) => ({ ...permissionAnswer(result), sessionId });
      return { method: "session/request_permission", params: { sessionId, ...question }, answerOf };
    }
    if (method !== METHODS.askUser.name) return undefined;
    const asked = params as unknown as AskUserParams;
    if (hasForms) {
      const answerOf = (result: unknown) => ({ ...elicitationAnswer(asked, result), sessionId });
      return { method: "elicitation/create", params: elicitationForm(sessionId, asked), answerOf };
    }
    this.#options.say(questionText(asked));
    return undefined;
  }
}

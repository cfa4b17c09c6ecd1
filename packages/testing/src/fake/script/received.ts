import type { AddUserMessageParams, RpcError } from "@daemon-sdk/protocol";
import { unmet } from "./unmet.js";

/** A request of a client. */
export interface ReceivedRequest {
  /** Number of its connection, from 1. */
  readonly link: number;
  readonly id: string;
  /** Without prefix. */
  readonly method: string;
  readonly params: Record<string, unknown>;
  readonly protocolVersion: string | undefined;
}

/** A response of a client. */
export interface ReceivedResponse {
  readonly link: number;
  readonly id: string | null;
  readonly result?: unknown;
  readonly error?: RpcError;
  /** False when no such request is pending, or when the request does not offer the answer. */
  readonly accepted: boolean;
}

/** A notification of a client. */
export interface ReceivedNotification {
  readonly link: number;
  /** Without prefix. */
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** A prompt of a client. */
export interface ReceivedPrompt {
  readonly text: string;
  readonly sessionId: string;
  readonly messageId: string | undefined;
  readonly link: number;
  readonly params: Record<string, unknown>;
}

/** Selects texts: equal to the string, matched by the pattern, or accepted by the function. */
export type TextMatcher = string | RegExp | ((text: string) => boolean);

/** Whether a matcher matches a text. Without a matcher, any text matches. */
export function matchesText(matcher: TextMatcher | undefined, text: string): boolean {
  if (matcher === undefined) return true;
  if (typeof matcher === "string") return matcher === text;
  // A pattern with the flag `g` keeps its `lastIndex`, so it is copied.
  return typeof matcher === "function" ? matcher(text) : new RegExp(matcher.source, matcher.flags).test(text);
}

/** All requests of clients in order, refused ones included: an array with queries and expectations. */
export class FakeReceived extends Array<ReceivedRequest> {
  /** `map`, `filter` and similar methods return plain arrays. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** Requests of that method, name without prefix. */
  calls(method: string): ReceivedRequest[] {
    return this.filter((request) => request.method === method);
  }

  /** All prompts, including repeated ones with the same `messageId`. */
  prompts(): ReceivedPrompt[] {
    return this.calls("add_user_message").map(({ link, params }) => {
      const { text, sessionId, messageId } = params as unknown as AddUserMessageParams;
      return { text, sessionId, messageId, link, params };
    });
  }

  /** The first matching prompt. @throws ProtocolError that lists the received prompts */
  expectPrompt(matcher?: TextMatcher): ReceivedPrompt {
    const prompts = this.prompts();
    const found = prompts.find(({ text }) => typeof text === "string" && matchesText(matcher, text));
    if (found) return found;
    const came = prompts.map(({ text, sessionId }) => `${JSON.stringify(text)} to session ${sessionId}`);
    return unmet(`a prompt${describe(matcher)}`, "Prompts", came);
  }

  /**
   * The first call of that method whose params contain all of `params`.
   *
   * @throws ProtocolError that lists the received calls of that method, or all calls if there are none
   */
  expectCall(method: string, params: Readonly<Record<string, unknown>> = {}): ReceivedRequest {
    const calls = this.calls(method);
    const found = calls.find((call) => holds(call.params, params));
    if (found) return found;
    const wanted = Object.keys(params).length === 0 ? "" : ` with ${JSON.stringify(params)}`;
    const came = calls.map((call) => JSON.stringify(call.params));
    if (came.length > 0) return unmet(`${method}${wanted}`, `Calls of ${method}`, came);
    return unmet(`${method}${wanted}`, "Methods", [...new Set(this.map((request) => request.method))]);
  }

  /** @throws ProtocolError when that method was called */
  expectNoCall(method: string): void {
    const calls = this.calls(method);
    if (calls.length === 0) return;
    const came = calls.map((call) => JSON.stringify(call.params));
    unmet(`no call of ${method}`, `Calls of ${method}`, came);
  }
}

function describe(matcher: TextMatcher | undefined): string {
  if (matcher === undefined) return "";
  if (typeof matcher === "function") return " that the function says yes to";
  return typeof matcher === "string" ? ` ${JSON.stringify(matcher)}` : ` that matches ${String(matcher)}`;
}

/** Whether `whole` contains `part`. Objects may have further keys; other values must be equal. */
function holds(whole: unknown, part: unknown): boolean {
  if (typeof part !== "object" || part === null || Array.isArray(part)) {
    return JSON.stringify(whole) === JSON.stringify(part);
  }
  if (typeof whole !== "object" || whole === null) return false;
  return Object.entries(part).every(([key, value]) => holds(Reflect.get(whole, key), value));
}

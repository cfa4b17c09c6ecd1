import { createHmac } from "node:crypto";
import type { Server } from "node:http";
import { Calls, startService } from "./calls.js";

const SECRET = "a-webhook-secret";

/** An activity that an agent showed. */
export interface Shown {
  readonly id: string;
  readonly agentSessionId: string;
  readonly content: { type: string; body?: string; action?: string; parameter?: string };
  readonly signalMetadata?: { options: { label: string; value: string }[] };
}

/** Linear's API and its requests to an agent, as far as the agent uses them. */
export class FakeLinear implements AsyncDisposable {
  readonly #server: Server & { url: string };
  readonly shown: Calls<Shown>;

  private constructor(server: Server & { url: string }, shown: Calls<Shown>) {
    this.#server = server;
    this.shown = shown;
  }

  static async start(): Promise<FakeLinear> {
    const shown = new Calls<Shown>();
    const server = await startService((_path, body) => {
      const { input } = (JSON.parse(body) as { variables: { input: Shown } }).variables;
      const isKnown = shown.all.some(({ id }) => id === input.id);
      if (isKnown) return { errors: [{ message: "An entity of this id already exists." }] };
      shown.push(input);
      return { data: { agentActivityCreate: { success: true } } };
    });
    return new FakeLinear(server, shown);
  }

  /** What an agent has to know of this Linear. */
  get env(): Record<string, string> {
    return { LINEAR_URL: this.#server.url, LINEAR_TOKEN: "lin-none", LINEAR_SECRET: SECRET };
  }

  /** The activities of a session: their types and what they show. */
  activitiesOf(agentSessionId: string): string[] {
    const own = this.shown.all.filter((shown) => shown.agentSessionId === agentSessionId);
    return own.map(({ content }) => `${content.type}: ${content.body ?? content.action}`);
  }

  /** Resolves with the activity of a session whose text matches. */
  until(sessionId: string, type: string, text = /./): Promise<Shown> {
    return this.shown.until(({ agentSessionId, content }) => {
      return agentSessionId === sessionId && content.type === type && text.test(content.body ?? content.action ?? "");
    });
  }

  /** A person delegates an issue to the agent. */
  created(port: number, id: string, promptContext: string): Promise<Response> {
    return this.send(port, { action: "created", agentSession: { id }, promptContext });
  }

  /** A person writes in the agent's session. */
  prompted(port: number, id: string, activityId: string, body: string, signal?: "stop"): Promise<Response> {
    const agentActivity = { id: activityId, content: { type: "prompt", body }, signal };
    return this.send(port, { action: "prompted", agentSession: { id }, agentActivity });
  }

  /** Sends a signed request. */
  send(port: number, event: object, { secret = SECRET, ageMs = 0 } = {}): Promise<Response> {
    const body = JSON.stringify({ type: "AgentSessionEvent", ...event, webhookTimestamp: Date.now() - ageMs });
    const signature = createHmac("sha256", secret).update(body).digest("hex");
    return fetch(`http://127.0.0.1:${port}/linear`, {
      method: "POST",
      headers: { "linear-signature": signature },
      body,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { checkSignature } from "./webhooks.js";

/** What an agent shows in its session in Linear. */
export type Activity =
  | { type: "thought" | "response" | "elicitation" | "error"; body: string }
  | { type: "action"; action: string; parameter: string };

/** What a person may choose from, beside an elicitation. */
export interface Choice {
  readonly label: string;
  readonly value: string;
}

/** Throws unless a request comes from Linear. */
export function checkLinearSignature(secret: string, body: string, headers: IncomingHttpHeaders): void {
  const { webhookTimestamp: signedAtMs } = JSON.parse(body) as { webhookTimestamp: number };
  checkSignature({ secret, text: body, signature: headers["linear-signature"], signedAtMs, maxAgeMs: 60_000 });
}

const MUTATION = "mutation($input: AgentActivityCreateInput!) { agentActivityCreate(input: $input) { success } }";

/** The one call of Linear's API that an agent needs. */
export class Linear {
  readonly #token: string;
  readonly #url: string;

  constructor(token: string, url = "https://api.linear.app/graphql") {
    this.#token = token;
    this.#url = url;
  }

  /** Shows an activity. The id of the activity comes from `key`, and Linear refuses a second one of that id. */
  async show(agentSessionId: string, key: string, content: Activity, choices?: readonly Choice[]): Promise<void> {
    const select = choices !== undefined &&
      choices.length > 0 && { signal: "select", signalMetadata: { options: choices } };
    const input = { id: uuidOf(`${agentSessionId} ${key}`), agentSessionId, content, ...select };
    const response = await fetch(this.#url, {
      method: "POST",
      headers: { authorization: this.#token, "content-type": "application/json" },
      body: JSON.stringify({ query: MUTATION, variables: { input } }),
    });
    const { errors } = (await response.json()) as { errors?: { message: string }[] };
    const message = errors?.[0]?.message ?? "";
    if (errors !== undefined && !/already exists|duplicate|conflict/i.test(message)) throw new LinearError(message);
  }
}

/** A call that Linear refused. */
export class LinearError extends Error {}

/** A UUID of version 4 in form, the same for the same text. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

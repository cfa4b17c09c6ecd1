import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "../generated/http-api.js";
import { readUntil } from "./read-events.js";

/** What {@link runRestConsumer} needs of a server. */
export interface ConsumedServer {
  readonly baseUrl: string;
  readonly key: string;
  /** Working directory of the session. */
  readonly cwd: string;
  /** A prompt with which the agent asks a question with the options red and blue, and answers with the chosen one. */
  readonly asking: string;
}

/**
 * A back end that was written against the OpenAPI document alone: it makes a session, prompts twice with one key, follows the turn,
 * answers the agent's question, and reads the outcome. Throws at the first answer that is not as the document says.
 */
export async function runRestConsumer({ baseUrl, key, cwd, asking }: ConsumedServer): Promise<void> {
  const headers = { authorization: `Bearer ${key}` };
  const client = createClient<paths>({ baseUrl, headers });

  const { data: session } = await client.POST("/sessions", { body: { cwd, tags: [{ name: "rest" }] } });
  assert.ok(session !== undefined);
  const { sessionId, lastEventId } = session;
  const path = { sessionId };
  const from = { ...headers, "last-event-id": lastEventId ?? "" };
  const events = await fetch(`${baseUrl}/sessions/${sessionId}/events`, { headers: from });

  const prompt = () =>
    client.POST("/sessions/{sessionId}/messages", {
      params: { path, header: { "Idempotency-Key": "job-1" } },
      body: { text: asking },
    });
  const [first, repeated] = [await prompt(), await prompt()];
  assert.equal(first.data?.messageId, "job-1");
  assert.equal(repeated.response.status, 202);

  const asked = await readUntil(events, ({ event, data }) => event === "requests" && Object(data).requests.length > 0);
  const { data: inbox } = await client.GET("/requests", { params: { query: { sessionId } } });
  const request = inbox?.requests[0];
  assert.ok(request?.method === "ask_user");
  const [question] = request.params.questions;
  const answer = (text: string) =>
    client.POST("/requests/{requestId}/answer", {
      params: { path: { requestId: request.requestId } },
      body: { answers: [{ index: question?.index ?? 0, question: question?.question ?? "", answer: text }] },
    });
  assert.equal((await answer("red")).response.status, 204);
  // The same answer again is no second one: its first response may have been lost.
  assert.equal((await answer("red")).response.status, 204);
  const other = await answer("blue");
  assert.equal(`${other.response.status} ${other.error?.code}`, "409 REQUEST_NOT_PENDING");

  const { data: receipt } = await client.GET("/sessions/{sessionId}/receipts/{messageId}", {
    params: { path: { sessionId, messageId: "job-1" }, query: { wait: 30 } },
  });
  assert.equal(receipt?.state, "completed");
  assert.match(receipt.text ?? "", /red/);
  const after = asked.findLast(({ id }) => id !== "")?.id ?? lastEventId ?? "";
  const rest = await fetch(`${baseUrl}/sessions/${sessionId}/events`, {
    headers: { ...headers, "last-event-id": after },
  });
  const seen = await readUntil(rest, ({ event }) => event === "result");
  assert.equal(seen.filter(({ event }) => event === "result").length, 1);

  const { data: page } = await client.GET("/sessions/{sessionId}/messages", {
    params: { path, query: { limit: 100 } },
  });
  assert.equal(page?.messages.filter(({ id }) => id === "job-1").length, 1);
  assert.equal(
    (await client.PATCH("/sessions/{sessionId}", { params: { path }, body: { title: "A job" } })).response.status,
    204,
  );
  const { data: shown } = await client.GET("/sessions/{sessionId}", { params: { path } });
  assert.equal(shown?.title, "A job");
  assert.equal((await client.POST("/sessions/{sessionId}/archive", { params: { path } })).response.status, 204);
  const { data: listed } = await client.GET("/sessions", { params: { query: { limit: 100 } } });
  assert.ok(listed?.sessions.every((one) => one.sessionId !== sessionId || one.archivedAt !== undefined));
}

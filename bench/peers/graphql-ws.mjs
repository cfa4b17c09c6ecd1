import { buildSchema } from "graphql";
import { createClient } from "graphql-ws";
import { useServer } from "graphql-ws/use/ws";
import { WebSocket, WebSocketServer } from "ws";
import { BATCH, CALL_TEXT, EVENT, nextTurn } from "./payload.mjs";

const SCHEMA = `
  type Event { sessionId: String, type: String, textDelta: String }
  type Query { call(text: String): String }
  type Subscription { flood(count: Int): Event }
`;

export async function serve() {
  const roots = { query: { call: ({ text }) => text }, subscription: { flood: ({ count }) => events(count) } };
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  useServer({ schema: buildSchema(SCHEMA), roots }, server);
  await new Promise((resolve) => server.once("listening", resolve));
  return `ws://127.0.0.1:${server.address().port}`;
}

async function* events(count) {
  for (let sent = 0; sent < count; sent += 1) {
    if (sent % BATCH === 0) await nextTurn();
    yield { flood: EVENT };
  }
}

export async function connect(url) {
  const client = createClient({ url, webSocketImpl: WebSocket, lazy: false, retryAttempts: 0 });
  await new Promise((resolve) => client.on("connected", resolve));
  const call = async () => {
    for await (const _ of client.iterate({
      query: "query($text: String) { call(text: $text) }",
      variables: { text: CALL_TEXT },
    }));
  };
  return {
    call,
    async flood(count, onEvent) {
      const query = "subscription($count: Int) { flood(count: $count) { sessionId type textDelta } }";
      for await (const _ of client.iterate({ query, variables: { count } })) onEvent();
    },
    close: async () => void client.dispose(),
  };
}

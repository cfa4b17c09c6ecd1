import { connectDaemon, type DaemonConnection } from "@daemon-sdk/client";

let connection: DaemonConnection;
/** What has happened to the connection so far. */
const statuses: string[] = [];
/** Deltas of the stream that runs, in order. */
const deltas: string[] = [];

interface Answer {
  types: string[];
  text: string;
  fault?: string;
}

const actions = {
  statuses,
  deltas,

  /** Connects with a ticket that this page's own server hands out, a fresh one for each attempt. */
  async connect(url: string): Promise<void> {
    connection = await connectDaemon({
      url,
      ticket: async () => (await fetch("/ticket", { method: "POST" })).text(),
      onStatus: ({ type }) => void statuses.push(type),
    });
  },

  /** One prompt in a session of its own: the types of its events, its text, and what went wrong. */
  async ask(prompt: string, cwd: string): Promise<Answer> {
    const types: string[] = [];
    let text = "";
    try {
      await using session = await connection.createSession({ cwd });
      for await (const event of session.stream(prompt, { includePartialMessages: true })) {
        types.push(event.type);
        if (event.type === "assistant_text_delta") deltas.push(event.text);
        if (event.type === "result") text = event.text;
      }
      return { types, text };
    } catch (error) {
      return { types, text, fault: String(error) };
    }
  },

  close: () => connection.close(),
};

/** What the tests call. */
export type ClientPage = typeof actions;

Object.assign(globalThis, { page: actions });

/** One session with an agent, and turns of it read to their end. */

const TURN_MS = 90_000;

/** A turn as a client saw it. */
export class Turn {
  events = [];

  get result() {
    return this.events.at(-1);
  }

  ofType(type) {
    return this.events.filter((event) => event.type === type);
  }

  /** The deltas of a kind, joined; those of a message that was retracted do not count. */
  joined(type) {
    const retracted = new Set(this.ofType("assistant_message_retracted").map(({ messageId }) => messageId));
    return this.ofType(type)
      .filter(({ messageId }) => !retracted.has(messageId))
      .map(({ text }) => text)
      .join("");
  }

  /** In a line, for a failure. */
  toString() {
    const { subtype, reason, text, error } = this.result ?? {};
    const types = [...new Set(this.events.map(({ type }) => type))].join(" ");
    return `${subtype} (${reason}) "${text}"${error === undefined ? "" : ` ${error.message}`} [${types}]`;
  }
}

/** A session of one agent. */
export class Conversation {
  /** Answers the agent's questions; a scenario sets it before it prompts. */
  answer = () => "cancel";

  static async open(connection, options) {
    const conversation = new Conversation();
    const permissionHandler = (request) => conversation.answer(request);
    conversation.session = await connection.createSession({ ...options, permissionHandler });
    return conversation;
  }

  get id() {
    return this.session.sessionId;
  }

  /** Reads one turn; `onEvent` sees each event when it comes. */
  async turn(text, { onEvent = () => {}, ...options } = {}) {
    const turn = new Turn();
    const stream = this.session.stream(text, { includePartialMessages: true, timeoutMs: TURN_MS, ...options });
    for await (const event of stream) {
      turn.events.push(event);
      await onEvent(event);
    }
    return turn;
  }

  /** Begins a turn, and resolves when it shows an event of that type; `ended` is the turn. */
  async begin(text, type) {
    let show;
    const shown = new Promise((resolve) => {
      show = resolve;
    });
    const ended = this.turn(text, { onEvent: (event) => event.type === type && show() });
    await Promise.race([shown, ended]);
    return { ended };
  }

  close() {
    return this.session.close();
  }
}

import type { MailAccount, MailExchange, MailLetter } from "@daemon-sdk/protocol/relay";
import type { Msg, Subscription } from "@nats-io/nats-core";
import { FLEET_LIMITS } from "../limits/index.js";
import { isName } from "../names/index.js";
import { decodeAccount } from "./letter-bytes.js";
import type { MailPlace } from "./mail-place.js";
import { MailStream } from "./mail-stream.js";
import { NameBoard } from "./name-board.js";

/**
 * Mail of a machine's relay: publishes what its outboxes hold, and hands over what the stream has for it. Pauses while NATS is away,
 * and begins anew with what is not reported when it is back.
 */
export class MachineMail {
  readonly #options: MailPlace;
  readonly #subscriptions: Subscription[];
  readonly #board: NameBoard;
  #stream!: MailStream;
  #mail: MailExchange | undefined;
  #isStopped = false;

  /** Rejects with CONNECTION_FAILED when the registry cannot be opened. */
  static async start(options: MailPlace): Promise<MachineMail> {
    const board = await NameBoard.open(options);
    const mail = new MachineMail(options, board);
    try {
      mail.#stream = await MailStream.open({
        ...options,
        onLetters: (sender, letters) => mail.#receive(sender, letters),
      });
      await mail.#resume();
    } catch (error) {
      mail.stop();
      throw error;
    }
    void mail.#watch();
    return mail;
  }

  private constructor(options: MailPlace, board: NameBoard) {
    this.#options = options;
    this.#board = board;
    const { nats, subjects, machineId } = options;
    const callback = (error: Error | null, message: Msg) => {
      if (error === null) this.#receivePost(message);
    };
    const own = [subjects.post(machineId, "*", "*"), subjects.posts("*")];
    this.#subscriptions = own.map((subject) => nats.subscribe(subject, { callback }));
  }

  /** Ends it. What is not reported stays in the store of the daemon. */
  stop(): void {
    this.#isStopped = true;
    this.#pause();
    this.#board.close();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#options.nats.status()) {
      if (type === "disconnect" || type === "close") this.#pause();
      else if (type === "reconnect") await this.#resumeAgain();
      if (this.#isStopped) return;
    }
  }

  #pause(): void {
    this.#mail?.detach();
    this.#mail = undefined;
    this.#stream?.stop();
    this.#board.stop();
  }

  async #resume(): Promise<void> {
    const { relay, nats } = this.#options;
    this.#mail = relay.attach({
      publish: (machineId, letter) => this.#stream.publish(machineId, letter),
      ask: (machineId) => this.#ask(machineId),
      post: (machineId, text) => {
        const { subjects, machineId: own } = this.#options;
        this.#send(machineId === undefined ? subjects.posts(own) : subjects.post(machineId, "envelope", own), text);
      },
    });
    this.#stream.start();
    await this.#board.start();
    await nats.flush();
  }

  /** JetStream takes some seconds after its server is back. */
  async #resumeAgain(): Promise<void> {
    if (this.#isStopped) return;
    try {
      await this.#resume();
    } catch (error) {
      this.#options.logger.warn(
        { error: String(error) },
        "names of other machines are not followed; the next try follows",
      );
      setTimeout(() => {
        if (!this.#isStopped && this.#mail !== undefined)
          void this.#board.start().catch(() => void this.#resumeAgain());
      }, FLEET_LIMITS.readAgainMs);
    }
  }

  async #receive(sender: string, letters: readonly MailLetter[]): Promise<void> {
    const mail = this.#mail;
    if (mail === undefined) return;
    const report = await mail.receive(sender, letters);
    const { subjects, machineId: own } = this.#options;
    if (this.#mail === mail) this.#send(subjects.post(sender, "report", own), JSON.stringify(report));
  }

  #send(subject: string, text: string): void {
    const { nats, logger } = this.#options;
    try {
      nats.publish(subject, text);
    } catch (error) {
      // Larger than the server takes, or closed.
      logger.warn({ subject, error: String(error) }, "a message to other machines was not sent");
    }
  }

  /** A report of what another machine has stored, its request for one, or an envelope of its relay. */
  #receivePost(message: Msg): void {
    const [kind, sender = ""] = message.subject.split(".").slice(-2);
    if (this.#mail === undefined || !isName(sender) || sender === this.#options.machineId) return;
    if (kind === "envelope" || kind === "posts") this.#mail.posted(message.string());
    if (kind === "account") message.respond(JSON.stringify(this.#mail.accountOf(sender)));
    else if (kind === "report") {
      const report = decodeAccount(message.data);
      if (report !== undefined) this.#mail.reported(sender, report);
    }
  }

  async #ask(machineId: string): Promise<MailAccount | undefined> {
    const { nats, subjects, machineId: own } = this.#options;
    try {
      const { askMailTimeoutMs: timeout } = FLEET_LIMITS;
      return decodeAccount((await nats.request(subjects.post(machineId, "account", own), "", { timeout })).data);
    } catch {
      return undefined;
    }
  }
}

import { DaemonError, type Logger } from "@daemon-sdk/protocol";
import type { MailAccount, MailLetter, MailReport } from "@daemon-sdk/protocol/relay";
import { EXCHANGE_LIMITS } from "../../limits/index.js";
import type { RelayWrite, Store } from "../../storage/index.js";
import { type DurableMailboxes, type Post, type PostOutcome, postOf } from "../mailboxes/index.js";

/** Where accounts are stored; the fact's name is the machine that wrote the letters. */
const SCOPE = "mail-arrivals";
const NOTHING: MailAccount = { generation: 0, position: 0, refused: [] };

/** Options of {@link Arrivals}. */
export interface ArrivalsOptions {
  readonly store: Pick<Store, "relayFacts">;
  readonly mailboxes: Pick<DurableMailboxes, "submit">;
  readonly logger: Logger;
  /** The names here that get a message to many names. */
  recipientsOf(post: Post): string[];
}

/** A message of a letter for one name. */
interface Arrival {
  readonly post: Post;
  /** Reported when the post is refused; undefined: one of many recipients, which its sender does not know. */
  readonly position: number | undefined;
}

/** The letters of one call that are stored, and the account after them. */
interface Intake {
  readonly arrivals: Arrival[];
  account: MailAccount;
  isGap: boolean;
}

/**
 * Mail of other machines. A letter is stored in the mailbox of its name, and the account of its sender in the same transaction: so
 * each letter is stored once, whenever this daemon or the network is killed. Letters of one sender are stored in their order.
 */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #accounts = new Map<string, MailAccount>();
  /** Calls of one sender run one after the other. */
  readonly #running = new Map<string, Promise<unknown>>();
  /** Machines of senders that wait for an ACK, by correlation id. */
  readonly #awaited = new Map<string, string>();

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /** Reads what an earlier daemon stored. Rejects when the store fails. */
  async load(): Promise<void> {
    for (const [machineId, body] of await this.#options.store.relayFacts(SCOPE)) {
      this.#accounts.set(machineId, JSON.parse(body) as MailAccount);
    }
  }

  /** What is stored of a machine's mail. */
  accountOf(machineId: string): MailAccount {
    return this.#accounts.get(machineId) ?? NOTHING;
  }

  /** The machine whose sender waits for an ACK with that correlation id. Undefined when none of the last ones does. */
  awaitedBy(correlationId: string): string | undefined {
    return this.#awaited.get(correlationId);
  }

  /** Stores letters of one machine, as far as they are the next ones. Rejects when the store fails; then none of them is stored. */
  receive(machineId: string, letters: readonly MailLetter[]): Promise<MailReport> {
    const before = this.#running.get(machineId) ?? Promise.resolve();
    const result = before.then(() => this.#receive(machineId, letters));
    const done = result.catch(() => {});
    this.#running.set(machineId, done);
    return result;
  }

  async #receive(machineId: string, letters: readonly MailLetter[]): Promise<MailReport> {
    const before = this.accountOf(machineId);
    const intake: Intake = { arrivals: [], account: before, isGap: false };
    for (const letter of letters) this.#take(intake, letter, machineId);
    if (intake.account !== before) this.#accounts.set(machineId, await this.#store(machineId, intake));
    return { ...this.accountOf(machineId), isGap: intake.isGap };
  }

  #take(intake: Intake, letter: MailLetter, machineId: string): void {
    const { account } = intake;
    const { generation, position, lowWater, text } = letter;
    const place = placeOf(account, letter);
    if (place === "gap") intake.isGap = true;
    if (place !== "next") return;
    const refused = account.refused.filter(([, to]) => to > lowWater);
    intake.account = { generation, position, refused };
    // Its sender has found it too large, and keeps it.
    if (text === "") return;
    const post = postOf(text);
    if (post === undefined)
      this.#options.logger.error({ machineId, position }, "a letter of another machine is damaged");
    else intake.arrivals.push(...this.#arrivalsOf(post, position, machineId));
  }

  #arrivalsOf(post: Post, position: number, machineId: string): Arrival[] {
    const { to } = post;
    if (to === "*" || to === "@users") {
      const names = this.#options.recipientsOf(post);
      return names.map((name) => ({ post: { ...post, to: name, originalTo: to }, position: undefined }));
    }
    const sync = post.payload_meta?.sync;
    if (sync?.blocking === true) this.#await(sync.correlationId, machineId);
    return [{ post, position }];
  }

  #await(correlationId: string, machineId: string): void {
    this.#awaited.set(correlationId, machineId);
    const [oldest] = this.#awaited.keys();
    if (this.#awaited.size > EXCHANGE_LIMITS.rememberedSenders && oldest !== undefined) this.#awaited.delete(oldest);
  }

  #store(machineId: string, { arrivals, account }: Intake): Promise<MailAccount> {
    const after = (outcomes: readonly PostOutcome[]): MailAccount => {
      const refused = arrivals.filter((_, index) => outcomes[index]?.state === "refused");
      const positions = refused.map(({ position }) => position).filter((position) => position !== undefined);
      return { ...account, refused: positions.reduce(withPosition, account.refused) };
    };
    const posts = arrivals.map(({ post }) => post);
    return new Promise((resolve, reject) => {
      const settle = (outcomes: readonly PostOutcome[]) => {
        const failure = outcomes.find((outcome) => outcome.state === "refused" && outcome.code === "INTERNAL");
        if (failure?.state === "refused") reject(new DaemonError("STORAGE_FAILED", failure.message));
        else resolve(after(outcomes));
      };
      const along = (outcomes: readonly PostOutcome[]): RelayWrite[] => [
        { kind: "relayFact", scope: SCOPE, name: machineId, body: JSON.stringify(after(outcomes)) },
      ];
      this.#options.mailboxes.submit(posts, settle, along);
    });
  }
}

function withPosition(runs: MailAccount["refused"], position: number): MailAccount["refused"] {
  const [from, to] = runs.at(-1) ?? [position, 0];
  return to === position - 1 && runs.length > 0
    ? [...runs.slice(0, -1), [from, position]]
    : [...runs, [position, position]];
}

/** Whether a letter is the next one of its sender, was stored before, or comes after one that did not come. */
function placeOf(account: MailAccount, letter: MailLetter): "next" | "known" | "gap" {
  const { generation, position, start, lowWater } = letter;
  if (generation < account.generation) return "known";
  if (generation === account.generation) {
    if (position === account.position + 1) return "next";
    return position <= account.position ? "known" : "gap";
  }
  // The first letter of a later generation, and all that its sender still has of earlier ones is stored.
  const isFirst = position === start + 1 && (lowWater >= start || account.position >= start);
  return isFirst ? "next" : "gap";
}

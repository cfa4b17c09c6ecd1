import { connectDaemon, type DaemonConnection } from "@daemon-sdk/client";
import {
  type ConnectionError,
  DaemonError,
  type FleetMoves,
  isRecord,
  type Logger,
  memoryTransport,
  type ReplicaSource,
} from "@daemon-sdk/protocol";
import { type Msg, type NatsConnection, NoRespondersError, RequestError, type Subscription } from "@nats-io/nats-core";
import { FLEET_LIMITS } from "../limits/index.js";
import { LinkRouter } from "../link/index.js";
import { MachineMail } from "../mail/index.js";
import { serveMoves } from "../move/index.js";
import { isName, Subjects } from "../names/index.js";
import { closeNats, type NatsOptions, natsRefusal, openNats } from "../nats/index.js";
import {
  type MachineEntry,
  type MachineLabels,
  MachineLease,
  openBuckets,
  registryFailure,
  type StreamPlace,
} from "../registry/index.js";
import { MachineReplica, type ReplicaBounds, ReplicaStream } from "../replica/index.js";
import type { FleetDaemon, FleetMembership, FleetPrincipal, JoinFleetOptions } from "./membership.js";

/** Checked options of a membership. */
export interface FleetMemberOptions {
  readonly daemon: FleetDaemon;
  readonly nats: NatsOptions;
  readonly tenant: string;
  readonly machineId: string;
  readonly instance: string;
  readonly labels: MachineLabels;
  readonly capacity: number;
  readonly streams: StreamPlace;
  /** Undefined without a replica. */
  readonly replica: ReplicaBounds | undefined;
  readonly principal: Required<JoinFleetOptions>["principal"];
  readonly logger: Logger;
  readonly renewMs: number | undefined;
}

/** What a membership works with. */
interface Parts {
  readonly nats: NatsConnection;
  /** This program's own connection to the daemon, by which it knows sessions and agents. */
  readonly own: DaemonConnection;
}

/** The membership of {@link joinFleet}: accepts links, answers who looks for a session, and keeps the lease. */
export class FleetMember implements FleetMembership {
  readonly machineId: string;
  readonly closed: Promise<ConnectionError | undefined>;
  readonly #options: FleetMemberOptions;
  readonly #parts: Parts;
  readonly #subjects: Subjects;
  readonly #router: LinkRouter;
  readonly #searches: Subscription;
  #refusal: ConnectionError | undefined;
  #lease: MachineLease | undefined;
  #mail: MachineMail | undefined;
  #replica: MachineReplica | undefined;
  #leaving: Promise<void> | undefined;
  #resolveClosed!: (error: ConnectionError | undefined) => void;

  /** Rejects as `joinFleet` does, and holds nothing then. */
  static async join(options: FleetMemberOptions): Promise<FleetMember> {
    const { tenant, machineId } = options;
    const inbox = new Subjects(tenant).machineInbox(machineId);
    const nats = await openNats(options.nats, { name: `machine ${machineId}`, inbox });
    let member: FleetMember | undefined;
    try {
      member = new FleetMember(options, { nats, own: await ownConnection(options.daemon) });
      await member.#enter();
      return member;
    } catch (error) {
      if (member === undefined) await nats.close();
      else await member.leave();
      throw error;
    }
  }

  private constructor(options: FleetMemberOptions, parts: Parts) {
    this.machineId = options.machineId;
    this.#options = options;
    this.#parts = parts;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#subjects = new Subjects(options.tenant);
    this.#router = new LinkRouter({
      nats: parts.nats,
      subjects: this.#subjects,
      prefix: this.#subjects.machine(options),
      link: { logger: options.logger },
      onOther: (message, rest) => this.#receive(message, rest),
      onRefused: (error) => this.#refused(error),
    });
    void parts.nats.closed().then((cause) => this.#end(cause instanceof Error ? natsRefusal(cause) : undefined));
    this.#searches = parts.nats.subscribe(this.#subjects.find, {
      callback: (error, message) => {
        if (error === null) void this.#find(message);
        else this.#refused(natsRefusal(error));
      },
    });
  }

  leave(): Promise<void> {
    return this.#end(undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave();
  }

  async #enter(): Promise<void> {
    const { daemon, streams, logger, renewMs } = this.#options;
    // The server knows the subscriptions before services can find the machine.
    await this.#router.ready();
    if (this.#refusal !== undefined) throw this.#refusal;
    const { machines, members } = await openBuckets(this.#parts.nats, this.#subjects, streams);
    this.#lease = await MachineLease.take({
      ...{ machines, logger, renewMs },
      describe: () => this.#describe(),
      answers: (instance) => this.#answers(instance),
      onLost: (error) => {
        logger.error({ machineId: this.machineId, code: error.code }, error.message);
        void this.#end(error);
      },
    });
    const entry = JSON.stringify(await this.#describe());
    await members.put(this.machineId, entry).catch((error: unknown) => {
      throw registryFailure("written", error);
    });
    await this.#carryMail();
    this.#replicate();
    void daemon.closed.then(() => this.leave());
  }

  async #carryMail(): Promise<void> {
    const { daemon, machineId, streams, logger } = this.#options;
    const { relay } = daemon;
    if (relay === undefined) return;
    const place = { nats: this.#parts.nats, subjects: this.#subjects, machineId, streams };
    this.#mail = await MachineMail.start({ ...place, relay, logger });
  }

  #replicate(): void {
    const { daemon, machineId, streams, replica: bounds, logger } = this.#options;
    const { replica: source } = daemon;
    if (source === undefined || this.#leaving !== undefined) return;
    const place = { nats: this.#parts.nats, subjects: this.#subjects, machineId, streams };
    if (bounds !== undefined) this.#replica = new MachineReplica({ ...place, source, bounds, logger });
    else if (source.isReplicated) void removeReplica(place, source, logger);
  }

  async #describe(): Promise<MachineEntry> {
    const { machineId, instance, labels, capacity, daemon } = this.#options;
    const { own } = this.#parts;
    const sessions = await own.listOpenedSessions();
    const working = sessions.filter(({ workingState }) => workingState !== "idle").length;
    const agents = own.capabilities.agents ?? [];
    const { version } = daemon.endpoint;
    const hasReplica = this.#options.replica !== undefined && daemon.replica !== undefined;
    return { machineId, instance, labels, agents, working, capacity, version, ...(hasReplica ? { hasReplica } : {}) };
  }

  async #answers(instance: string): Promise<boolean | undefined> {
    const subject = this.#subjects.alive({ machineId: this.machineId, instance });
    try {
      await this.#parts.nats.request(subject, "", { timeout: FLEET_LIMITS.aliveTimeoutMs });
      return true;
    } catch (error) {
      const isGone = error instanceof NoRespondersError || (error instanceof RequestError && error.isNoResponders());
      return isGone ? false : undefined;
    }
  }

  /** The server refused a subscription: without it the machine would seem to serve, and would not. */
  #refused(error: ConnectionError): void {
    this.#refusal = error;
    void this.#end(error);
  }

  #receive(message: Msg, [kind, client = ""]: readonly string[]): void {
    if (kind === "alive") this.#answer(message, {});
    else if (kind === "dial") void this.#dialed(message, client);
  }

  /** One request for a link. Its answer is `{}`, or the error. */
  async #dialed(message: Msg, client: string): Promise<void> {
    try {
      await this.#accept(message, client);
      this.#answer(message, {});
    } catch (error) {
      const code = DaemonError.is(error) ? error.code : "INTERNAL";
      const text = error instanceof Error ? error.message : String(error);
      this.#options.logger.info({ client, code, error: text }, "a link of the fleet was refused");
      this.#answer(message, { error: { code, message: text } });
    }
  }

  /** Nothing is published after the end of the membership, or while NATS is away: the client would throw, or send it late. */
  #answer(message: Msg, answer: object): void {
    if (!this.#router.isAway) message.respond(JSON.stringify(answer));
  }

  async #accept(message: Msg, client: string): Promise<void> {
    const request: unknown = JSON.parse(message.string());
    const { token, instance, purpose } = isRecord(request) ? request : {};
    if (!isName(token) || !isName(instance) || !isName(client) || this.#router.has(token))
      throw new DaemonError("PROTOCOL_VIOLATION", "A dial needs the name and instance of its client, and a new token.");
    const principal = await this.#options.principal(client);
    if (principal === undefined)
      throw new DaemonError("NOT_ALLOWED", `Machine ${this.machineId} does not serve the client ${client}.`);
    const moves = purpose === "move" ? this.#movesFor(client, principal) : undefined;
    const link = this.#router.open(token, `${this.#subjects.client({ client, instance })}.l.${token}`);
    if (moves !== undefined) {
      serveMoves(link, moves, this.#options.logger);
      return;
    }
    try {
      await this.#options.daemon.accept(link, principal);
    } catch (error) {
      link.terminate();
      throw error;
    }
  }

  /** Who moves a session reads all of it, with the secrets of its MCP servers: only the person may, and who acts for the person. */
  #movesFor(client: string, { keyId }: FleetPrincipal): FleetMoves {
    const { moves } = this.#options.daemon;
    if (moves !== undefined && keyId === undefined) return moves;
    throw new DaemonError("NOT_ALLOWED", `Machine ${this.machineId} does not let the client ${client} move sessions.`);
  }

  /** Only the machine that has the session answers. */
  async #find(message: Msg): Promise<void> {
    try {
      await this.#parts.own.getSessionMessages(message.string(), { limit: 1 });
      this.#answer(message, { machineId: this.machineId });
    } catch (error) {
      if (DaemonError.is(error) && ELSEWHERE.has(error.code)) return;
      this.#options.logger.warn({ error: String(error) }, "a search for a session was not answered");
    }
  }

  #end(error: ConnectionError | undefined): Promise<void> {
    this.#leaving ??= this.#leave(error);
    return this.#leaving;
  }

  async #leave(error: ConnectionError | undefined): Promise<void> {
    const { nats, own } = this.#parts;
    this.#mail?.stop();
    this.#replica?.stop();
    // First, so that nobody answers for the name any more: the next daemon that gets it need not wait.
    this.#router.close();
    this.#searches.unsubscribe();
    await this.#lease?.release({ isWritten: !this.#router.isAway });
    await own.close();
    await closeNats(nats, this.#router.isAway);
    this.#resolveClosed(error);
  }
}

/** Removes the replica of a machine that makes none any more. What fails is tried again when the machine joins again. */
async function removeReplica(
  place: Parameters<typeof ReplicaStream.empty>[0],
  source: ReplicaSource,
  logger: Logger,
): Promise<void> {
  try {
    await ReplicaStream.empty(place);
    await source.forgetReplica();
    logger.info({}, "the replica of this machine was removed");
  } catch (error) {
    logger.warn({ error: String(error) }, "the replica of this machine was not removed; the next start tries again");
  }
}

/** Another machine has the session. */
const ELSEWHERE: ReadonlySet<string> = new Set(["SESSION_NOT_FOUND", "SESSION_MOVED", "SESSION_MOVING"]);

/** A connection within the process, as the person. */
function ownConnection(daemon: FleetDaemon): Promise<DaemonConnection> {
  return connectDaemon({
    async transport() {
      const { near, far } = memoryTransport();
      await daemon.accept(far, { keyId: undefined });
      return near;
    },
    token: "fleet",
    // Restored like every connection: without it the machine's entry would not be renewed.
    reconnect: { maxElapsedMs: 2 ** 31 - 1 },
  });
}

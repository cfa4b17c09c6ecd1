import type { Transport } from "@daemon-sdk/protocol";
import type { ContractCase, OfferingHarness } from "../contract.js";

/** What `daemon.authenticate` is called with, beside `caller`: `token`, `apiKey`, `proof` or `ticket`. */
export type DaemonCredential = Readonly<Record<string, string>>;

/**
 * Prompts that make the daemon's agent do what cases are about. With the built-in `workspace-agent`: `say …`,
 * `stream …`, `count …`, `run …`, `ask …`.
 */
export interface DaemonPrompts {
  /** A short answer that holds `word`. */
  say(word: string): string;
  /** At least `events` pieces of text, as fast as it goes. */
  stream(events: number): string;
  /** A turn that goes on until it is interrupted, and has said something by then. */
  readonly endless: string;
  /** Asks for one permission; completes after the answer. */
  readonly permission: string;
  /** Asks one question with at least two options; completes after the answer. */
  readonly question: string;
  /** Ends the agent's process in mid-turn. Absent: cases that need `agent-death` are skipped. */
  readonly die?: string;
}

/** How a daemon is ended before it is started again. */
export type DaemonRestart = "asked" | "killed";

/** Makes connections to one daemon for the contract, and says how to drive it. */
export interface DaemonHarness extends OfferingHarness {
  /** A connection that nobody has used: nothing was sent on it. The contract closes it when it is done with it. */
  connect(): Promise<Transport>;
  /** The person's own credential, which reaches all sessions. */
  readonly credential: DaemonCredential;
  /** Two keys that reach their own sessions only. Absent: cases that need `keys` are skipped. */
  readonly keys?: readonly [DaemonCredential, DaemonCredential];
  /** Where sessions work. Default `.`. */
  readonly workingDirectory?: string;
  readonly prompts: DaemonPrompts;
  /**
   * Ends the daemon and starts it again on what it has stored. Absent: cases that need `restart` are skipped.
   *
   * @param how politely, or as SIGKILL does
   */
  restart?(how: DaemonRestart): Promise<void>;
  /**
   * Lets time pass for the daemon, as its fake clock does. Absent: time passes by itself, and cases wait for it.
   *
   * @param ms at least this much
   */
  passTime?(ms: number): Promise<void>;
  /**
   * Has the daemon forget what it keeps of a session's journal, as time does. Absent: cases that need `pruning` are skipped.
   */
  prune?(sessionId: string): void | Promise<void>;
  /** How long to wait for what has to come; default 5 000. */
  readonly patienceMs?: number;
  /** What the daemon offers; made by `daemonHarness`. */
  offers(): Promise<ReadonlySet<string>>;
}

/** One promise of the daemon contract. */
export type DaemonCase = ContractCase<DaemonHarness>;

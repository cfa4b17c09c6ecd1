import type { Transport } from "@daemon-sdk/protocol";
import type { ContractCase, OfferingHarness } from "../contract.js";

/** The credential in the params of `daemon.authenticate`: `token`, `apiKey`, `proof` or `ticket`. */
export type DaemonCredential = Readonly<Record<string, string>>;

/**
 * Prompts that make the daemon's agent do what the cases need. With the built-in `workspace-agent`: `say …`,
 * `stream …`, `count …`, `run …`, `ask …`.
 */
export interface DaemonPrompts {
  /** A short answer that contains `word`. */
  say(word: string): string;
  /** At least `events` pieces of text, as fast as possible. */
  stream(events: number): string;
  /** A turn that runs until it is interrupted, and writes text before that. */
  readonly endless: string;
  /** Asks for one permission; completes after the answer. */
  readonly permission: string;
  /** Asks one question with at least two options; completes after the answer. */
  readonly question: string;
  /** Ends the agent's process in mid-turn. If absent, cases that need `agent-death` are skipped. */
  readonly die?: string;
}

/** How a daemon is stopped before a restart. */
export type DaemonRestart = "asked" | "killed";

/** Makes connections to one daemon for the contract, and controls the daemon. */
export interface DaemonHarness extends OfferingHarness {
  /** Makes a new connection on which nothing was sent. The contract closes it. */
  connect(): Promise<Transport>;
  /** The person's own credential, which reaches all sessions. */
  readonly credential: DaemonCredential;
  /** Two keys that reach their own sessions only. If absent, cases that need `keys` are skipped. */
  readonly keys?: readonly [DaemonCredential, DaemonCredential];
  /** Bytes of prompts that may wait in the sessions of the second key. If absent, cases that need `queued-bytes` are skipped. */
  readonly queuedBytes?: number;
  /** `cwd` of sessions. Default `.`. */
  readonly workingDirectory?: string;
  readonly prompts: DaemonPrompts;
  /**
   * Stops the daemon and starts it again on its store. If absent, cases that need `restart` are skipped.
   *
   * @param how politely, or as by SIGKILL
   */
  restart?(how: DaemonRestart): Promise<void>;
  /**
   * Advances the daemon's fake clock. If absent, the clock is a real one, and cases wait.
   *
   * @param ms at least this much
   */
  passTime?(ms: number): Promise<void>;
  /**
   * Makes the daemon prune a session's journal, as its retention does. If absent, cases that need `pruning` are skipped.
   */
  prune?(sessionId: string): void | Promise<void>;
  /** How many ms to wait for expected frames; default 5 000. */
  readonly patienceMs?: number;
  /** What the daemon offers; provided by `daemonHarness`. */
  offers(): Promise<ReadonlySet<string>>;
}

/** One promise of the daemon contract. */
export type DaemonCase = ContractCase<DaemonHarness>;

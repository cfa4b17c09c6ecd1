import type { DaemonConnection } from "@daemon-sdk/client";
import { ConnectionError } from "@daemon-sdk/protocol";
import { effect, type Signal, signal } from "@preact/signals";
import { type Access, openConnection } from "../link/index.js";

/** Pause before a link is tried again that could not be made. */
const AGAIN_MS = 2_000;
/** How long somebody who pressed a button waits for a link. */
const PATIENCE_MS = 10_000;

/** The connection of this page to another machine, kept until {@link close}. */
export class MachineLink {
  readonly machineId: string;
  readonly connection: Signal<DaemonConnection | undefined> = signal(undefined);
  /** Why there is no link now; undefined while there is one, or while the first one is made. */
  readonly failure: Signal<string | undefined> = signal(undefined);
  readonly #access: Access;
  readonly #onRefused: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(machineId: string, access: Access, onRefused: () => void) {
    this.machineId = machineId;
    this.#access = access;
    this.#onRefused = onRefused;
    void this.#connect();
  }

  /** Resolves with the connection. Rejects with why there is none, after a while. */
  ready(): Promise<DaemonConnection> {
    return new Promise((resolve, reject) => {
      const text = () => this.failure.value ?? `Machine ${this.machineId} does not answer.`;
      const timer = setTimeout(() => {
        stop();
        reject(new ConnectionError("CONNECTION_FAILED", text()));
      }, PATIENCE_MS);
      const stop = effect(() => {
        const connection = this.connection.value;
        if (connection === undefined) return;
        clearTimeout(timer);
        queueMicrotask(() => stop());
        resolve(connection);
      });
    });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    void this.connection.value?.close();
  }

  async #connect(): Promise<void> {
    try {
      const connection = await openConnection(
        this.#access,
        { onStatus: ({ type }) => this.#onStatus(type), onRefused: this.#onRefused },
        this.machineId,
      );
      if (this.#isClosed) return void connection.close();
      this.failure.value = undefined;
      this.connection.value = connection;
      void connection.closed.then(() => this.#again("The connection was lost."));
    } catch (error) {
      this.#again(error instanceof Error ? error.message : String(error));
    }
  }

  #onStatus(type: "connected" | "reconnecting" | "disconnected"): void {
    if (this.connection.value === undefined) return;
    this.failure.value = type === "connected" ? undefined : "The connection was lost.";
  }

  #again(why: string): void {
    if (this.#isClosed) return;
    this.connection.value = undefined;
    this.failure.value = why;
    this.#timer = setTimeout(() => void this.#connect(), AGAIN_MS);
  }
}

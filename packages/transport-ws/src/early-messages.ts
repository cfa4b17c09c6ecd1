import type { SocketLink } from "./socket-link.js";

/**
 * Messages that arrived before `onMessage` was set, in order (law T9).
 *
 * Buffers about `limitBytes` (counted in characters, a cheap lower bound), then stops reading from the socket.
 */
export class EarlyMessages {
  readonly #link: SocketLink;
  readonly #limitBytes: number;
  #held: string[] = [];
  #next = 0;
  #size = 0;
  #isPaused = false;

  constructor(link: SocketLink, limitBytes: number) {
    this.#link = link;
    this.#limitBytes = limitBytes;
  }

  get isHolding(): boolean {
    return this.#next < this.#held.length;
  }

  hold(text: string): void {
    this.#held.push(text);
    this.#size += text.length;
    if (this.#size < this.#limitBytes || this.#isPaused) return;
    this.#isPaused = true;
    this.#link.pause();
  }

  /** Removes and returns the oldest message. Only while {@link isHolding}. */
  take(): string {
    const text = this.#held[this.#next++] ?? "";
    this.#size -= text.length;
    if (!this.isHolding) this.clear();
    return text;
  }

  clear(): void {
    this.#held = [];
    this.#next = 0;
    this.#size = 0;
  }

  /** Resumes reading from the socket. */
  release(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#link.resume();
  }
}

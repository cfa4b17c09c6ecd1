const PIECES_PER_JOIN = 512;

/**
 * A text that is received in many small pieces.
 *
 * Joined block by block: `+=` alone would keep every piece, and a node over it, alive as long as the text, and a long turn would
 * spend a tenth of its time in the garbage collector.
 */
export class TextPieces {
  #blocks = "";
  #pieces: string[] = [];

  /** Adds a piece at the end. */
  add(piece: string): void {
    if (this.#pieces.push(piece) === PIECES_PER_JOIN) this.#blocks = this.join();
  }

  /** The whole text so far. */
  join(): string {
    const text = this.#blocks + this.#pieces.join("");
    this.#blocks = text;
    this.#pieces = [];
    return text;
  }
}

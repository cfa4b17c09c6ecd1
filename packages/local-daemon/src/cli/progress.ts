/** What takes longer is shown. What is shown for less than that only flickers. */
const SHOWN_AFTER_MS = 1_000;
const INTERVAL_MS = 100;
const PICTURES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

const ESCAPE = String.fromCharCode(27);
const ERASE = `\r${ESCAPE}[K`;

/** The stream that progress is written to: stderr of a process at a terminal. */
export interface ProgressOutput {
  write(text: string): void;
  columns(): number;
  /** Whether the terminal moves its cursor. Without, progress is one plain line. */
  readonly movesCursor: boolean;
}

/** One line that says what is waited for and how long already. Disposed, it leaves nothing behind. */
export class Progress implements Disposable {
  readonly #output: ProgressOutput;
  readonly #what: string;
  readonly #since = performance.now();
  #timer: NodeJS.Timeout;
  #isShown = false;
  #pictures = 0;

  constructor(what: string, output: ProgressOutput) {
    this.#what = what;
    this.#output = output;
    this.#timer = setTimeout(() => this.#show(), SHOWN_AFTER_MS).unref();
  }

  /** Takes the line away, so that other text can be written in its place. It comes back by itself. */
  hide(): void {
    if (this.#isShown && this.#output.movesCursor) this.#output.write(ERASE);
    this.#isShown = false;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.hide();
  }

  #show(): void {
    this.#isShown = true;
    if (!this.#output.movesCursor) {
      this.#output.write(`${this.#what} …\n`);
      return;
    }
    this.#pictures += 1;
    const seconds = Math.floor((performance.now() - this.#since) / 1_000);
    const line = `${PICTURES[this.#pictures % PICTURES.length]} ${this.#what} … ${seconds} s`;
    // A longer line would wrap, and only its last row could be erased. The width is read anew: windows change.
    this.#output.write(`${ERASE}${line.slice(0, Math.max(0, this.#output.columns() - 1))}`);
    this.#timer = setTimeout(() => this.#show(), INTERVAL_MS).unref();
  }
}

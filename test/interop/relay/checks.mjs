/** Counts checks as they run, and says what failed and why. */
export class Checks {
  #passed = 0;
  #failed = 0;

  /** Runs one promise of the interoperation. `title` states it; a throw is its failure. */
  async check(title, run) {
    try {
      await run();
      this.#passed += 1;
      console.log(`  ok   ${title}`);
    } catch (error) {
      this.#failed += 1;
      console.log(`  FAIL ${title}\n       ${String(error?.message ?? error).replaceAll("\n", "\n       ")}`);
    }
  }

  /** Prints the line that machines read, and returns the exit code. */
  finish() {
    console.log(`${this.#passed} passed, ${this.#failed} failed`);
    return this.#failed === 0 && this.#passed > 0 ? 0 : 1;
  }
}

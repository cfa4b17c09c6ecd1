/** What was run and how it ended, as lines, as a table, and as a part of docs/agents.md. */
import { readFileSync, writeFileSync } from "node:fs";

const DOCUMENT = new URL("../../../docs/agents.md", import.meta.url);
const BEGIN = "<!-- interop:agents -->";
const END = "<!-- /interop:agents -->";

/** Results by agent and scenario. */
export class Results {
  #versions;
  #rows = new Map();
  /** What is no column: a scenario of another peer. */
  #others = [];
  #notes = [];
  #passed = 0;
  #failed = 0;

  /** `versions` of the agents that get a column each. */
  constructor(versions) {
    this.#versions = versions;
  }

  /** Runs one scenario. A throw is its failure; it may return `notOffered`. */
  async check(agent, scenario, run) {
    const started = performance.now();
    try {
      const { notOffered } = (await run()) ?? {};
      if (notOffered !== undefined) return this.notOffered(agent, scenario, notOffered);
      this.#passed += 1;
      this.#set(agent, scenario, "ok");
      console.log(`  ok   ${scenario} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    } catch (error) {
      this.#failed += 1;
      this.#set(agent, scenario, "failed");
      console.log(`  FAIL ${scenario}\n       ${String(error?.stack ?? error).replaceAll("\n", "\n       ")}`);
    }
  }

  /** The agent itself has no such thing. */
  notOffered(agent, scenario, reason) {
    this.#notes.push({ agent, scenario, reason });
    this.#set(agent, scenario, "not offered");
    console.log(`  –    ${scenario}: not offered, ${reason}`);
  }

  /** Prints the table and the line that machines read; returns the exit code. */
  finish({ isDocumented }) {
    const table = this.table();
    console.log(`\n${table}\n`);
    if (isDocumented) writeTable(table);
    console.log(`${this.#passed} passed, ${this.#failed} failed`);
    return this.#failed === 0 && this.#passed > 0 ? 0 : 1;
  }

  /** The tables in Markdown, with a line for each thing that an agent does not offer. */
  table() {
    const names = Object.keys(this.#versions).filter((name) => [...this.#rows.values()].some((row) => row.has(name)));
    const head = ["scenario", ...names.map((name) => `${name} ${this.#versions[name]}`)];
    const rows = [...this.#rows].map(([scenario, row]) => [scenario, ...names.map((name) => row.get(name) ?? "–")]);
    const reasons = this.#notes.map(
      ({ agent, scenario, reason }) => `- ${agent}, ${scenario}: not offered, ${reason}.`,
    );
    const parts = [
      names.length === 0 ? "" : tableOf(head, rows),
      reasons.join("\n"),
      this.#others.length === 0 ? "" : tableOf(["peer", "scenario", "result"], this.#others),
    ];
    return parts.filter((part) => part !== "").join("\n\n");
  }

  #set(agent, scenario, cell) {
    if (!Object.hasOwn(this.#versions, agent)) this.#others.push([agent, scenario, cell]);
    else this.#rows.set(scenario, (this.#rows.get(scenario) ?? new Map()).set(agent, cell));
  }
}

function tableOf(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function writeTable(table) {
  const text = readFileSync(DOCUMENT, "utf8");
  const [before, rest] = text.split(BEGIN);
  const [, after] = rest?.split(END) ?? [];
  if (after === undefined) throw new Error(`docs/agents.md has no ${BEGIN} … ${END}`);
  writeFileSync(DOCUMENT, `${before}${BEGIN}\n${table}\n${END}${after}`);
}

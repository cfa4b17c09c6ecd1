import {
  type CaseResult,
  type ContractCase,
  daemonContract,
  type OfferingHarness,
  runCase,
  transportContract,
} from "@daemon-sdk/testing";
import { acpAgentContract, agentContract } from "@daemon-sdk/testing/node";
import { ACP_MUTANTS } from "./acp-mutants.js";
import { AGENT_MUTANTS } from "./agent-mutants.js";
import { DAEMON_MUTANTS } from "./daemon-mutants.js";
import { sinfulAcpHarness } from "./sinful-acp-agent.js";
import { sinfulAgentHarness } from "./sinful-agent.js";
import { sinfulHarness } from "./sinful-daemon.js";
import { bounds, connectMutant, MUTANTS } from "./transport-mutants.js";

/** How long a case that has to fail waits for what a mutant leaves out: in memory, what comes does so at once. */
const IMPATIENT_MS = 1_000;
/** For the others, which wait only when a machine is busy. */
export const PATIENT_MS = 20_000;

/** A thing that breaks one law, and the cases that have to notice. */
export interface Suspect {
  /** Such as "a transport that loses its last message". */
  readonly name: string;
  /** Ids of cases, or their laws; the first is the one that names the sin. */
  readonly caughtBy: readonly string[];
  /** Runs its contract, or only some of it. */
  run(isWanted?: (id: string) => boolean): Promise<CaseResult[]>;
}

/** What a contract made of a suspect. */
export interface Verdict {
  readonly suspect: Suspect;
  /** Ids of all cases that failed. */
  readonly failed: readonly string[];
  /** Whether the case that names the sin is among them, and no case that has nothing to do with it. */
  readonly isCaught: boolean;
}

/** Every mutant of the kit. */
export const SUSPECTS: readonly Suspect[] = [
  ...MUTANTS.map((mutant) =>
    suspect(`a transport that ${mutant.sin}`, mutant.caughtBy, transportContract, (patienceMs) => ({
      ...bounds,
      patienceMs,
      connect: async () => connectMutant(mutant),
    })),
  ),
  ...DAEMON_MUTANTS.map(({ sin, caughtBy, make }) =>
    suspect(`a daemon that ${sin}`, caughtBy, daemonContract, (patienceMs) => sinfulHarness(make(), patienceMs)),
  ),
  ...AGENT_MUTANTS.map(({ sin, caughtBy, make }) =>
    suspect(`an agent that ${sin}`, caughtBy, agentContract, (patienceMs) => sinfulAgentHarness(make, patienceMs)),
  ),
  ...ACP_MUTANTS.map(({ sin, caughtBy, make }) =>
    suspect(`an ACP agent that ${sin}`, caughtBy, acpAgentContract, (patienceMs) => sinfulAcpHarness(make, patienceMs)),
  ),
];

function suspect<Harness extends OfferingHarness>(
  name: string,
  caughtBy: readonly string[],
  cases: readonly ContractCase<Harness>[],
  harness: (patienceMs: number) => Harness,
): Suspect {
  return {
    name,
    caughtBy,
    async run(isWanted) {
      const isGuilty = (id: string) => isNamedIn(caughtBy, id);
      const [guilty, innocent] = [harness(IMPATIENT_MS), harness(PATIENT_MS)];
      return [
        ...(await run(cases, guilty, (id) => isGuilty(id) && isWanted?.(id) !== false)),
        ...(await run(cases, innocent, (id) => !isGuilty(id) && isWanted?.(id) !== false)),
      ];
    },
  };
}

/** Runs a suspect against its contract. */
export async function judge(suspect: Suspect, isWanted?: (id: string) => boolean): Promise<Verdict> {
  const results = await suspect.run(isWanted);
  const failed = results.filter(({ outcome }) => outcome === "failed").map(({ id }) => id);
  const laws = new Set(failed.flatMap((id) => [id, lawOf(id)]));
  const isNamed = suspect.caughtBy.some((name, index) => index === 0 && laws.has(name));
  const isExact = failed.every((id) => isNamedIn(suspect.caughtBy, id));
  return { suspect, failed, isCaught: isNamed && isExact };
}

/** Ids of the cases that a transport fails. */
export async function judgeTransport(connect: () => ReturnType<typeof connectMutant>): Promise<string[]> {
  const results = await run(transportContract, { ...bounds, connect: async () => connect() });
  return results.filter(({ outcome }) => outcome === "failed").map(({ id }) => id);
}

/** Cases that no mutant is made for. */
export function idleCases(): string[] {
  const named = new Set(SUSPECTS.flatMap(({ caughtBy }) => caughtBy));
  const all = [...transportContract, ...daemonContract, ...agentContract, ...acpAgentContract].map(({ id }) => id);
  return all.filter((id) => !named.has(id) && !named.has(lawOf(id)));
}

/** Whether that case, or its law, is among those that have to notice. */
export function isNamedIn(caughtBy: readonly string[], id: string): boolean {
  return caughtBy.includes(id) || caughtBy.includes(lawOf(id));
}

/** `P7.4` of `P7.4-once`. */
function lawOf(id: string): string {
  return id.split("-")[0] ?? id;
}

async function run<Harness extends OfferingHarness>(
  cases: readonly ContractCase<Harness>[],
  harness: Harness,
  isWanted: (id: string) => boolean = () => true,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const one of cases) if (isWanted(one.id)) results.push(await runCase(one, harness));
  return results;
}

export {
  type CaseResult,
  type ContractCase,
  type OfferingHarness,
  runCase,
  runContract,
  whyNotApplicable,
} from "./contract/contract.js";
export type { DaemonCase, DaemonCredential, DaemonHarness, DaemonPrompts } from "./contract/daemon/daemon-harness.js";
export { daemonHarness } from "./contract/daemon/daemon-offers.js";
export { type FakeDaemonHarnessOptions, fakeDaemonHarness } from "./contract/daemon/fake-daemon-harness.js";
export type { TransportCase, TransportHarness, TransportPair } from "./contract/contract-case.js";
export { daemonContract } from "./daemon-contract.js";
export type { FakeCall, FakeMethod } from "./fake/calls.js";
export { rpcFault } from "./fake/frames.js";
export type { FakePrompt, FakeTurnEnd } from "./fake/prompt.js";
export type { FakePermission, FakeQuestions, FakeSession, FakeSessionOptions } from "./fake/session.js";
export { FakeClock, type FakeClockOptions } from "./fake-clock.js";
export {
  FakeDaemon,
  type FakeDaemonOptions,
  NO_REPLY,
  type PromptScript,
  type ReceivedRequest,
  type ReceivedResponse,
} from "./fake-daemon.js";
export { type MemoryLink, type MemoryTransportOptions, memoryTransport } from "./memory-transport.js";
export { runTransportContract, transportContract } from "./transport-contract.js";

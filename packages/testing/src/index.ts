export {
  type CaseResult,
  type ContractCase,
  type OfferingHarness,
  runCase,
  runContract,
  whyNotApplicable,
} from "./contract/contract.js";
export type { TransportCase, TransportHarness, TransportPair } from "./contract/contract-case.js";
export type {
  DaemonCase,
  DaemonCredential,
  DaemonHarness,
  DaemonPrompts,
  DaemonRestart,
} from "./contract/daemon/daemon-harness.js";
export { daemonHarness } from "./contract/daemon/daemon-offers.js";
export { type FakeDaemonHarnessOptions, fakeDaemonHarness } from "./contract/daemon/fake-daemon-harness.js";
export { daemonContract } from "./daemon-contract.js";
export type { FakeConnection } from "./fake/all-connections.js";
export type { FakePermission, FakeQuestions } from "./fake/asking.js";
export type { FakeCall, FakeMethod } from "./fake/calls.js";
export { ALL_CAPABILITIES, type CapabilityOptions } from "./fake/capabilities.js";
export { NO_REPLY } from "./fake/dispatcher.js";
export type { FaultSwitches } from "./fake/faults.js";
export { rpcFault } from "./fake/frames.js";
export type { FakePrompt, FakeTurnEnd, FakeTurnEndDetails } from "./fake/prompt.js";
export type { PromptMatcher, PromptScript } from "./fake/prompt-rules.js";
export type {
  FakeReceived,
  ReceivedNotification,
  ReceivedPrompt,
  ReceivedRequest,
  ReceivedResponse,
  TextMatcher,
} from "./fake/received.js";
export type { RecordedFrame, Recording } from "./fake/recording.js";
export type { FakeSession, FakeSessionOptions } from "./fake/session.js";
export type { AnswerMatcher, FakeAnswer, FakeToolCall, FakeToolPermission, TurnScript } from "./fake/turn-script.js";
export { FakeAgent, type FakeAgentOptions } from "./fake-agent.js";
export { FakeClock, type FakeClockOptions } from "./fake-clock.js";
export { FakeDaemon, type FakeDaemonOptions } from "./fake-daemon.js";
export { Ledger, type LedgerClient, type LedgerOptions } from "./ledger.js";
export type { LedgerEvent } from "./ledger-account.js";
export { type MemoryLink, type MemoryTransportOptions, memoryTransport } from "./memory-transport.js";
export { type RecordOptions, recordTransport, SECRET_KEYS } from "./recording.js";
export type { MemoryByteLink, MemoryByteLinkEvents } from "./relay/memory-byte-link.js";
export { MemoryRelay, type RelayedMessage } from "./relay/memory-relay.js";
export { SeededRandom } from "./seeded-random.js";
export { runTransportContract, transportContract } from "./transport-contract.js";

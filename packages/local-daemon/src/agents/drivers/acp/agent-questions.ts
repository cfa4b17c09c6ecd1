import { newId, RpcCode } from "@daemon-sdk/protocol";
import type { AgentEvents } from "../../agent.js";
import type { AcpTurn } from "./acp-turn.js";
import { ElicitationForm } from "./elicitation.js";
import type { AcpRequest, JsonRpcPeer } from "./json-rpc-peer.js";
import { CANCELLED_OUTCOME, confirmationOf, PermissionOptions } from "./permission.js";
import type { PermissionSubject, UpdateReader } from "./readers/index.js";

/** Options of {@link AgentQuestions}. */
export interface AgentQuestionsOptions {
  readonly peer: JsonRpcPeer;
  readonly events: AgentEvents;
  /** The running turn; undefined between turns. */
  turn(): AcpTurn | undefined;
  /** Reads what a permission is about, in the agent's version of the protocol. */
  reader(): Pick<UpdateReader, "permissionSubject">;
}

interface Question {
  readonly rpcId: AcpRequest["id"];
  readonly toolUseIds: readonly string[];
  /** The answer that says that nobody answers any more. */
  readonly cancelled: object;
  /** Reports that the agent does not wait any more, and goes on. */
  goesOn(): void;
}

/**
 * The questions of an agent that wait for a person: permissions and forms.
 *
 * Each is answered once. After {@link cancelAll} nothing reaches the agent any more: an answer that comes later could start a
 * command after its turn was cancelled (docs/wire/acp.md#permission).
 */
export class AgentQuestions {
  readonly #options: AgentQuestionsOptions;
  /** By our id of the request. */
  readonly #open = new Map<string, Question>();

  constructor(options: AgentQuestionsOptions) {
    this.#options = options;
  }

  /** Takes a request of the agent; false when it is no question. */
  ask(request: AcpRequest): boolean {
    switch (request.method) {
      case "session/request_permission":
        this.#askPermission(request);
        return true;
      case "elicitation/create":
        this.#askForm(request);
        return true;
      default:
        return false;
    }
  }

  /** The agent takes its question back; it gets the error that the protocol wants. */
  withdraw(rpcId: unknown): void {
    for (const [id, question] of this.#open) {
      if (String(question.rpcId) !== String(rpcId)) continue;
      this.#close(id, question);
      question.goesOn();
      this.#options.peer.refuse(question.rpcId, REQUEST_CANCELLED, "Cancelled");
    }
  }

  /** Answers all that wait with their cancelled answer, and tells the daemon that nobody needs to answer. */
  cancelAll(): void {
    for (const [id, question] of this.#open) {
      this.#options.peer.respond(question.rpcId, question.cancelled);
      this.#close(id, question);
    }
  }

  /** Forgets all: the agent has ended. */
  clear(): void {
    this.#open.clear();
  }

  #askPermission({ id, params }: AcpRequest): void {
    const { peer, events } = this.#options;
    const turn = this.#options.turn();
    if (turn === undefined || turn.isCancelled) {
      peer.respond(id, CANCELLED_OUTCOME);
      return;
    }
    const subject = this.#options.reader().permissionSubject(params, newId());
    if (subject === undefined) {
      peer.refuse(id, RpcCode.invalidParams, "params.toolCall.toolCallId must be a string");
      return;
    }
    turn.confirm();
    const tool = turn.writer.toolAsked(subject.toolCall);
    const options = new PermissionOptions(params.options);
    const details = { ...confirmationOf(tool), ...(subject.reason !== undefined && { reason: subject.reason }) };
    const toolUses = [{ toolUse: tool.toolUse, confirmationType: details.type, details }];
    const goesOn = () => turn.writer.toolAnswered();
    const requestId = this.#add({ rpcId: id, toolUseIds: [tool.id], cancelled: CANCELLED_OUTCOME, goesOn });
    events.onRequest({
      id: requestId,
      method: "request_permission",
      params: { toolUses, options: options.offered },
      respond: ({ selectedOption }) => {
        if (!this.#open.delete(requestId)) return;
        if (selectedOption === "cancel") turn.hasRefusal = true;
        goesOn();
        if (subject.isQuestionAlone === true) endQuestion(turn, subject, selectedOption);
        peer.respond(id, options.outcomeOf(selectedOption));
      },
      refuse: (message) => {
        if (!this.#open.delete(requestId)) return;
        goesOn();
        peer.refuse(id, RpcCode.invalidParams, message);
      },
    });
  }

  #askForm({ id, params }: AcpRequest): void {
    const { peer, events } = this.#options;
    if (params.mode !== undefined && params.mode !== "form") {
      peer.refuse(id, RpcCode.invalidParams, "Only forms are offered");
      return;
    }
    this.#options.turn()?.confirm();
    const form = new ElicitationForm(params);
    const requestId = this.#add({ rpcId: id, toolUseIds: [], cancelled: { action: "cancel" }, goesOn: () => {} });
    events.onRequest({
      id: requestId,
      method: "ask_user",
      params: {
        toolCallId: typeof params.toolCallId === "string" ? params.toolCallId : requestId,
        questions: form.questions,
      },
      respond: (result) => {
        if (this.#open.delete(requestId)) peer.respond(id, form.answer(result));
      },
      refuse: (message) => {
        if (this.#open.delete(requestId)) peer.refuse(id, RpcCode.invalidParams, message);
      },
    });
  }

  #add(question: Question): string {
    const id = newId();
    this.#open.set(id, question);
    return id;
  }

  #close(requestId: string, { toolUseIds }: Question): void {
    this.#open.delete(requestId);
    const notification = { type: "permission_resolved", requestId, toolUseIds, selectedOption: "cancel" };
    this.#options.events.onNotification(notification, undefined);
  }
}

/** The agent has no tool call for the question, so nobody else would end the one that was announced for it. */
function endQuestion({ writer }: AcpTurn, { toolCall }: PermissionSubject, selectedOption: unknown): void {
  const status = selectedOption === "cancel" ? "cancelled" : "completed";
  writer.tool({ toolCallId: toolCall.toolCallId, status });
}

/** The answer to a request that its sender cancelled (docs/wire/acp.md#errors). */
const REQUEST_CANCELLED = -32800;

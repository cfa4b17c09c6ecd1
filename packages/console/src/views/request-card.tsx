import type { InboxRequest, PermissionToolUse } from "@daemon-sdk/protocol";
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { RequestRow } from "../daemon/index.js";
import { ago, sessionAddress } from "../ui/index.js";
import type { Answer } from "./answer.js";
import { Effect, effectTitle } from "./effect.js";
import { Questions } from "./questions.js";
import type { ViewProps } from "./view-props.js";

/** One question of an agent, what it would do, and the answers that it offers. */
export function RequestCard(
  props: ViewProps & { readonly request: RequestRow; readonly withSession?: boolean },
): JSX.Element {
  const { state, request, withSession = false } = props;
  const isAnswering = useSignal(false);
  const answer: Answer = async (value) => {
    isAnswering.value = true;
    await state.attempt(async () => {
      const connection = await state.connectionTo(request.machineId);
      await connection.answerRequest(request.requestId, value);
    });
    await state.refreshOf(request.machineId);
    isAnswering.value = false;
  };
  const row = state.sessions.value?.find(({ sessionId }) => sessionId === request.sessionId);
  return (
    <article class="card request" aria-label={titleOf(request)}>
      <header>
        <h3>{titleOf(request)}</h3>
        <p class="meta">
          {withSession && (
            <a href={`#${sessionAddress(request.sessionId, request.machineId)}`}>
              {row?.title ?? request.sessionId.slice(0, 8)}
            </a>
          )}
          {request.machineId !== undefined && <span class="tag">{request.machineId}</span>}
          <time dateTime={new Date(request.createdAt).toISOString()}>{ago(request.createdAt)}</time>
        </p>
      </header>
      {request.method === "ask_user" ? (
        <Questions request={request} answer={answer} isDisabled={isAnswering.value} />
      ) : (
        <Permission request={request} answer={answer} isDisabled={isAnswering.value} />
      )}
    </article>
  );
}

type Permit = Extract<InboxRequest, { method: "request_permission" }>;

function Permission(props: {
  readonly request: Permit;
  readonly answer: Answer;
  readonly isDisabled: boolean;
}): JSX.Element {
  const { toolUses, options } = props.request.params;
  return (
    <>
      {toolUses.map((use) => (
        <Effect key={use.toolUse.id} use={use} />
      ))}
      <div class="answers">
        {options.map(({ label, value }, index) => (
          <button
            key={value}
            type="button"
            class={value === "cancel" ? "danger" : index === 0 ? "primary" : undefined}
            disabled={props.isDisabled}
            onClick={() => void props.answer(value)}
          >
            {label}
          </button>
        ))}
      </div>
    </>
  );
}

function titleOf(request: InboxRequest): string {
  if (request.method === "ask_user") return "A question for you";
  const [first, ...more] = request.params.toolUses;
  const title = first === undefined ? "Permission" : effectTitle(first as PermissionToolUse);
  return more.length === 0 ? title : `${title}, and ${more.length} more`;
}

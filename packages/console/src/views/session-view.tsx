import type { DaemonConnection } from "@daemon-sdk/client";
import type { InboxRequest } from "@daemon-sdk/protocol";
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { SessionState } from "../daemon/index.js";
import { TranscriptView } from "../transcript/index.js";
import { Activity, Empty, Icon, Spinner } from "../ui/index.js";
import { Composer } from "./composer.js";
import { RequestCard } from "./request-card.js";
import type { ViewProps } from "./view-props.js";

/** One session: what it is, its transcript, what it asks, and the composer. */
export function SessionView(
  props: ViewProps & { readonly connection: DaemonConnection; readonly sessionId: string },
): JSX.Element {
  const { state, connection, sessionId } = props;
  const session = useMemo(() => new SessionState(connection, sessionId), [connection, sessionId]);
  useEffect(() => () => session.close(), [session]);
  const row = state.sessions.value?.find((one) => one.sessionId === sessionId);
  const requests = state.requests.value.filter((one) => one.sessionId === sessionId);
  const isBusy = session.isBusy.value || (row !== undefined && row.activity !== "idle");
  return (
    <>
      <SessionHead state={state} sessionId={sessionId} />
      <Body session={session} requests={requests} readOlder={() => void state.attempt(() => session.readOlder())} />
      <p class="visually-hidden" role="status">
        {statusOf(session, isBusy)}
      </p>
      {requests.length > 0 && (
        <div class="asked">
          {requests.map((request) => (
            <RequestCard key={request.requestId} state={state} request={request} />
          ))}
        </div>
      )}
      <Composer
        isBusy={isBusy}
        send={(text) =>
          state.attempt(() =>
            session
              .send(text)
              .then(() => state.refreshOf(row?.machineId))
              .then(() => true),
          )
        }
        interrupt={() => void state.attempt(() => session.interrupt())}
      />
    </>
  );
}

/** What a session is, and where. */
export function SessionHead({ state, sessionId }: ViewProps & { readonly sessionId: string }): JSX.Element {
  const row = state.sessions.value?.find((one) => one.sessionId === sessionId);
  const isArchived = row?.archivedAt !== undefined;
  const label = isArchived ? "Unarchive" : "Archive";
  const change = (): Promise<unknown> =>
    state.attempt(async () => {
      const connection = await state.connectionTo(row?.machineId);
      await (isArchived ? connection.unarchiveSession(sessionId) : connection.archiveSession(sessionId));
      await state.refreshOf(row?.machineId);
    });
  return (
    <div class="detail-head">
      <a class="back" href="#/sessions" aria-label="Back to the list">
        <Icon name="back" />
      </a>
      <div class="detail-title">
        <h2>{row?.title ?? "Untitled"}</h2>
        <p class="meta">
          <Activity of={row?.activity ?? "idle"} />
          {row?.machineId !== undefined && <span class="tag">{row.machineId}</span>}
          {row?.cwd !== undefined && <span class="path">{row.cwd}</span>}
        </p>
      </div>
      <button type="button" class="quiet small" aria-label={label} onClick={() => void change()}>
        <Icon name="archive" />
        <span class="wide-only">{label}</span>
      </button>
    </div>
  );
}

function Body(props: {
  readonly session: SessionState;
  readonly requests: readonly InboxRequest[];
  readOlder(): void;
}): JSX.Element {
  const { session, requests } = props;
  const { failure, isLoading, transcript, version } = session;
  void version.value;
  if (failure.value !== undefined) return <Empty title="This session cannot be shown">{failure.value}</Empty>;
  if (transcript.rows.length > 0)
    return (
      <TranscriptView
        rows={transcript.rows}
        version={version.value}
        asked={new Set(requests.flatMap(toolsOf))}
        hasOlder={session.hasOlder.value}
        readOlder={() => props.readOlder()}
      />
    );
  return isLoading.value ? (
    <Spinner label="Loading the transcript" />
  ) : (
    <Empty title="Nothing was said yet">Write what the agent is to do.</Empty>
  );
}

function toolsOf(request: InboxRequest): string[] {
  return request.method === "ask_user" ? [] : request.params.toolUses.map(({ toolUse }) => toolUse.id);
}

/** What a screen reader says when it changes. The rows themselves are not announced: a live answer would never let it end. */
function statusOf({ transcript, version }: SessionState, isBusy: boolean): string {
  void version.value;
  const last = transcript.rows.at(-1);
  if (last?.kind === "end") return last.outcome === "success" ? "The turn is done." : "The turn has ended.";
  return isBusy ? "The agent works." : "";
}

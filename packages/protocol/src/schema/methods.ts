import * as z from "zod/mini";
import { METHODS, type ParamsOf, type ResultOf } from "../session/index.js";
import * as E from "./extensions.js";
import * as M from "./metrics.js";
import * as P from "./params.js";
import * as Q from "./requests.js";
import * as R from "./results.js";
import { recordSchema } from "./values.js";
import * as W from "./workspace.js";

/** Schemas of one method. */
export interface MethodSchemas<Params = unknown, Result = unknown> {
  /** Schema of the params. Extra keys pass, because a newer peer may send some. */
  readonly params: z.ZodMiniType<Params>;
  /** Schema of the result. */
  readonly result: z.ZodMiniType<Result>;
}

type Methods = typeof METHODS;

/** Schemas of every method of {@link METHODS}, under the same keys; their output types are those of the table. */
export const METHOD_SCHEMAS: {
  readonly [Key in keyof Methods]: MethodSchemas<ParamsOf<Methods[Key]>, ResultOf<Methods[Key]>>;
} = {
  authenticate: { params: P.authenticateParamsSchema, result: R.authenticateResultSchema },
  // A real daemon refuses any key here (docs/wire/session.md#authentication).
  logout: { params: z.strictObject({}), result: R.commandAckSchema },

  initializeSession: { params: P.initializeSessionParamsSchema, result: R.initializeSessionResultSchema },
  loadSession: { params: P.loadSessionParamsSchema, result: R.loadSessionResultSchema },
  closeSession: { params: P.closeSessionParamsSchema, result: recordSchema },
  interruptSession: { params: P.interruptSessionParamsSchema, result: recordSchema },
  addUserMessage: { params: P.addUserMessageParamsSchema, result: E.addUserMessageResultSchema },

  updateSessionSettings: { params: P.updateSettingsParamsSchema, result: R.commandAckSchema },
  renameSession: { params: P.renameSessionParamsSchema, result: R.renameSessionResultSchema },
  forkSession: { params: P.forkSessionParamsSchema, result: R.newSessionResultSchema },
  compactSession: { params: P.compactSessionParamsSchema, result: R.compactSessionResultSchema },
  getContextBreakdown: { params: P.sessionScopedSchema, result: R.contextBreakdownResultSchema },
  getRewindInfo: { params: P.rewindInfoParamsSchema, result: R.rewindInfoResultSchema },
  executeRewind: { params: P.executeRewindParamsSchema, result: R.executeRewindResultSchema },

  addMcpServer: { params: P.addMcpServerParamsSchema, result: R.successResultSchema },
  removeMcpServer: { params: P.removeMcpServerParamsSchema, result: R.successResultSchema },
  toggleMcpServer: { params: P.toggleMcpServerParamsSchema, result: R.successResultSchema },
  listMcpServers: { params: P.sessionScopedSchema, result: R.listMcpServersResultSchema },
  listMcpTools: { params: P.sessionScopedSchema, result: R.listMcpToolsResultSchema },
  authenticateMcpServer: { params: P.mcpServerParamsSchema, result: R.successResultSchema },
  listSkills: { params: P.sessionScopedSchema, result: R.listSkillsResultSchema },

  listOpenedSessions: { params: recordSchema, result: R.listOpenedSessionsResultSchema },
  listAvailableSessions: { params: P.listAvailableSessionsParamsSchema, result: R.listAvailableSessionsResultSchema },
  searchSessions: { params: P.searchSessionsParamsSchema, result: R.searchSessionsResultSchema },
  getSessionMessages: { params: P.getSessionMessagesParamsSchema, result: R.getSessionMessagesResultSchema },
  archiveSession: { params: P.sessionScopedSchema, result: R.archiveSessionResultSchema },
  unarchiveSession: { params: P.sessionScopedSchema, result: R.successResultSchema },
  deleteSession: { params: E.deleteSessionParamsSchema, result: recordSchema },
  detachSession: { params: P.sessionScopedSchema, result: recordSchema },

  listFiles: { params: W.listFilesParamsSchema, result: W.listFilesResultSchema },
  getGitDiff: { params: W.gitDiffParamsSchema, result: W.gitDiffResultSchema },
  getDefaultSettings: { params: recordSchema, result: W.defaultSettingsResultSchema },
  listModels: { params: W.listModelsParamsSchema, result: W.listModelsResultSchema },

  resumeSession: { params: E.resumeSessionParamsSchema, result: E.resumeSessionResultSchema },
  followSession: { params: E.followSessionParamsSchema, result: E.followSessionResultSchema },
  getReceipts: { params: E.getReceiptsParamsSchema, result: E.getReceiptsResultSchema },
  getTurnEvents: { params: E.getTurnEventsParamsSchema, result: E.getTurnEventsResultSchema },
  getSessionEvents: { params: E.getSessionEventsParamsSchema, result: E.getSessionEventsResultSchema },
  listRequests: { params: E.listRequestsParamsSchema, result: E.listRequestsResultSchema },
  answerRequest: { params: E.answerRequestParamsSchema, result: recordSchema },
  ping: { params: z.strictObject({}), result: recordSchema },
  createTicket: { params: z.strictObject({}), result: E.createTicketResultSchema },
  openConsole: { params: z.strictObject({}), result: E.openConsoleResultSchema },
  reloadConfiguration: { params: E.reloadConfigurationParamsSchema, result: E.reloadConfigurationResultSchema },
  getMetrics: { params: z.strictObject({}), result: M.getMetricsResultSchema },

  requestPermission: { params: Q.requestPermissionParamsSchema, result: Q.requestPermissionResultSchema },
  askUser: { params: Q.askUserParamsSchema, result: Q.askUserResultSchema },
};

const SCHEMAS_BY_NAME: ReadonlyMap<string, MethodSchemas> = new Map(
  (Object.keys(METHODS) as (keyof Methods)[]).map((key) => [METHODS[key].name, METHOD_SCHEMAS[key]]),
);

/** The schemas of the method of that wire name (without prefix), or undefined. */
export function schemasOf(name: string): MethodSchemas | undefined {
  return SCHEMAS_BY_NAME.get(name);
}

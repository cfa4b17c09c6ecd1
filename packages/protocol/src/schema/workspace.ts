import * as z from "zod/mini";
import type {
  DefaultSettingsResult,
  GitDiff,
  GitDiffFile,
  GitDiffParams,
  GitDiffResult,
  ListFilesParams,
  ListFilesResult,
  ListModelsParams,
  ListModelsResult,
} from "../session/index.js";
import { bounded, boundedName } from "./bounded.js";
import { availableModelSchema } from "./values.js";

const sessionId = boundedName("idChars");
const isIncomplete = z.exactOptional(z.boolean());

/** Schema of {@link ListFilesParams}. */
export const listFilesParamsSchema: z.ZodMiniType<ListFilesParams> = z.looseObject({
  sessionId,
  showHidden: z.exactOptional(z.boolean()),
});

/** Schema of {@link ListFilesResult}. */
export const listFilesResultSchema: z.ZodMiniType<ListFilesResult> = z.looseObject({
  files: z.array(z.string()),
  isIncomplete,
});

/** Schema of {@link GitDiffParams}. */
export const gitDiffParamsSchema: z.ZodMiniType<GitDiffParams> = z.looseObject({
  sessionId,
  baseBranch: z.exactOptional(bounded("idChars")),
});

const file: z.ZodMiniType<GitDiffFile> = z.looseObject({
  path: z.string(),
  additions: z.number(),
  deletions: z.number(),
  status: z.string(),
});

const gitDiff: z.ZodMiniType<GitDiff> = z.looseObject({
  diff: z.string(),
  branch: z.string(),
  baseBranch: z.string(),
  files: z.array(file),
  totalAdditions: z.number(),
  totalDeletions: z.number(),
  remoteUrl: z.nullable(z.string()),
  commits: z.array(z.looseObject({ hash: z.string(), message: z.string() })),
  unstagedDiff: z.exactOptional(z.string()),
  unstagedFiles: z.exactOptional(z.array(file)),
  unstagedTotalAdditions: z.exactOptional(z.number()),
  unstagedTotalDeletions: z.exactOptional(z.number()),
  isIncomplete,
});

/** Schema of {@link GitDiffResult}. */
export const gitDiffResultSchema: z.ZodMiniType<GitDiffResult> = z.union([
  z.looseObject({ success: z.literal(true), data: gitDiff }),
  z.looseObject({ success: z.literal(false), unavailableReason: z.string(), unavailableMessage: z.string() }),
]);

const models = z.array(availableModelSchema);

/** Schema of {@link DefaultSettingsResult}. */
export const defaultSettingsResultSchema: z.ZodMiniType<DefaultSettingsResult> = z.looseObject({
  autonomyLevel: z.exactOptional(z.string()),
  maxAutonomyLevel: z.exactOptional(z.string()),
  availableModels: z.exactOptional(models),
});

/** Schema of {@link ListModelsParams}. */
export const listModelsParamsSchema: z.ZodMiniType<ListModelsParams> = z.looseObject({
  agent: z.exactOptional(bounded("nameChars")),
});

/** Schema of {@link ListModelsResult}. */
export const listModelsResultSchema: z.ZodMiniType<ListModelsResult> = z.looseObject({ models });

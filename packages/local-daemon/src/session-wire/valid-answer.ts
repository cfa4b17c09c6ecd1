import { isRecord } from "@daemon-sdk/protocol";
import { METHOD_SCHEMAS } from "@daemon-sdk/protocol/schema";
import * as z from "zod/mini";
import type { AnswerCheck } from "../inbox/index.js";

/** Checks an answer by the schema of its method, and that the option is one of those the request offered. */
export const validAnswer: AnswerCheck = ({ row, params }, result) => {
  if (row.method === "ask_user") {
    const parsed = z.safeParse(METHOD_SCHEMAS.askUser.result, result);
    return parsed.success ? { cancelled: parsed.data.cancelled === true, answers: parsed.data.answers } : undefined;
  }
  const parsed = z.safeParse(METHOD_SCHEMAS.requestPermission.result, result);
  if (!parsed.success) return undefined;
  const { selectedOption, comment, editedSpecContent } = parsed.data;
  const offered = Array.isArray(params.options) ? params.options.map((option) => isRecord(option) && option.value) : [];
  if (selectedOption !== "cancel" && !offered.includes(selectedOption)) return undefined;
  return {
    selectedOption,
    ...(comment === undefined ? {} : { comment }),
    ...(editedSpecContent === undefined ? {} : { editedSpecContent }),
  };
};

/** Params of every session call. */
export interface SessionScoped {
  sessionId: string;
}

/** Result of calls that only report success. */
export interface SuccessResult {
  success: boolean;
}

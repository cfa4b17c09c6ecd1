/** Every session call names its session. */
export interface SessionScoped {
  sessionId: string;
}

/** Result of calls that say no more than whether it worked. */
export interface SuccessResult {
  success: boolean;
}

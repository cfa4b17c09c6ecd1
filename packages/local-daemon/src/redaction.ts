/** What stands in the place of a secret. */
const MARK = "[redacted]";

/** A variable of the environment with such a name holds a secret. */
const SECRET_NAME = /key|token|secret|passw|pwd|credential|auth|cookie|dsn/i;

/** Shorter values are flags and numbers; replacing them would make any text unreadable. */
const MIN_SECRET_CHARS = 8;

/**
 * Texts that are secrets wherever they stand, and what replaces them. No quantifier may run over text that another match could
 * begin in: the text comes from a foreign process, and a slow expression would hold the loop.
 */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // A private key, also one whose end is not there.
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, MARK],
  // user:password in an address.
  [/(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@]{1,500}@/gi, `$1${MARK}@`],
  [/\b((?:proxy-)?authorization|(?:set-)?cookie)(["']?\s{0,9}[:=]\s{0,9})[^\r\n]+/gi, `$1$2${MARK}`],
  [/\b(bearer|basic)(\s{1,9})[\w.~+/=-]{8,}/gi, `$1$2${MARK}`],
  // NAME_OF_A_KEY=value, "apiKey": "value", --password value, ?token=value
  [
    /((?:api|access|private|secret|signing|session)[_-]?key|token|secret|passw(?:or)?d|credentials?)((?:_\w{1,40})?["']?\s{0,9}[:=]\s{0,9})("[^"\r\n]{4,}"|'[^'\r\n]{4,}'|[^\s"',;&]{4,})/gi,
    `$1$2${MARK}`,
  ],
  [/(--(?:api-?key|token|secret|password)\s{1,9})\S{4,}/gi, `$1${MARK}`],
  // Keys that providers mark by a prefix.
  [/\b(?:sk|pk|rk|fk|whsec)[-_][\w-]{16,}/g, MARK],
  [/\b(?:gh[opsur]|github_pat|glpat|npm|hf|xox[abeprs]|xapp)[-_][\w-]{16,}/g, MARK],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, MARK],
  [/\bAIza[\w-]{30,}/g, MARK],
  // JSON Web Token
  [/\beyJ[\w-]{8,2000}\.[\w-]{8,2000}\.[\w-]{0,2000}/g, MARK],
];

const KEY_END = /^[\s\S]*?-----END [A-Z ]{0,40}PRIVATE KEY-----/;

/** The values of an environment that its names call secrets. */
export function secretsOf(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env)
    .filter(([name, value]) => SECRET_NAME.test(name) && value.length >= MIN_SECRET_CHARS)
    .map(([, value]) => value);
}

/**
 * The text of a foreign process without secrets, for the log and for clients: without the values that are known to be secret,
 * and without what has the form of a key, a password or a token.
 *
 * @param secrets values to take out wherever they stand
 */
export function redacted(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  // A longer secret may hold a shorter one.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) clean = clean.replaceAll(secret, MARK);
  const [tail] = KEY_END.exec(clean) ?? [];
  // The begin of that key was lost.
  if (tail !== undefined && !tail.includes("-----BEGIN")) clean = MARK + clean.slice(tail.length);
  for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
  return clean;
}

/** JSON data without secrets: texts as of {@link redacted}, and no value of a variable in `env` whose name says that it is one. */
export function redactedDeep(value: unknown): unknown {
  if (typeof value === "string") return redacted(value);
  if (Array.isArray(value)) return value.map(redactedDeep);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, key === "env" ? redactedEnv(inner) : redactedDeep(inner)]),
  );
}

function redactedEnv(env: unknown): unknown {
  if (typeof env !== "object" || env === null) return env;
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, SECRET_NAME.test(name) ? MARK : redactedDeep(value)]),
  );
}

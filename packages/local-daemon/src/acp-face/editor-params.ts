import { isAbsolute } from "node:path";
import { type McpServerConfig, RpcCode, RpcFault } from "@daemon-sdk/protocol";
import * as z from "zod/mini";

const text = z.string();
const sessionId = z.string().check(z.minLength(1), z.maxLength(256));
const cwd = text.check(z.refine((path) => isAbsolute(path), "must be an absolute path"));
const pairs = z.optional(z.array(z.object({ name: text, value: text })));
const mcpServer = z.union([
  z.object({ type: z.enum(["http", "sse"]), name: text, url: text, headers: pairs }),
  z.object({
    type: z.optional(z.literal("stdio")),
    name: text,
    command: text,
    args: z.optional(z.array(text)),
    env: pairs,
  }),
]);
const mcpServers = z.optional(z.array(mcpServer));
const meta = z.optional(z.nullable(z.object({ daemonSdk: z.optional(z.looseObject({})) })));
const offer = z.optional(z.nullable(z.looseObject({})));

/** Params of the methods that an editor calls (docs/wire/acp.md#editors). Keys that are not listed are ignored. */
export const EDITOR_PARAMS = {
  initialize: z.object({
    protocolVersion: z.number(),
    clientInfo: z.optional(z.nullable(z.object({ name: text }))),
    clientCapabilities: z.optional(
      z.nullable(
        z.object({
          elicitation: z.optional(z.nullable(z.object({ form: offer }))),
          session: z.optional(
            z.nullable(
              z.object({
                notices: offer,
                compaction: offer,
                configOptions: z.optional(z.nullable(z.object({ boolean: offer }))),
              }),
            ),
          ),
        }),
      ),
    ),
  }),
  authenticate: z.object({ methodId: text, _meta: meta }),
  "session/new": z.object({ cwd, mcpServers, _meta: meta }),
  "session/load": z.object({ sessionId, cwd, mcpServers }),
  "session/resume": z.object({ sessionId, cwd, mcpServers }),
  "session/list": z.object({ cwd: z.optional(z.nullable(text)), cursor: z.optional(z.nullable(text)) }),
  "session/close": z.object({ sessionId }),
  "session/delete": z.object({ sessionId }),
  "session/prompt": z.object({ sessionId, prompt: z.array(z.unknown()) }),
  "session/set_mode": z.object({ sessionId, modeId: text }),
  "session/set_config_option": z.object({ sessionId, configId: text, value: z.union([text, z.boolean()]) }),
  "session/cancel": z.object({ sessionId }),
} as const;

/** Name of a method that an editor calls. */
export type EditorMethod = keyof typeof EDITOR_PARAMS;
/** Params of a method, after their check. */
export type EditorParams<Name extends EditorMethod> = z.infer<(typeof EDITOR_PARAMS)[Name]>;

/** Checks the params of a call. @throws RpcFault -32602 that names the first key that is wrong */
export function editorParams<Name extends EditorMethod>(name: Name, params: unknown): EditorParams<Name> {
  const parsed = z.safeParse(EDITOR_PARAMS[name], params);
  if (parsed.success) return parsed.data as EditorParams<Name>;
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? "params" : issue.path.join(".");
  throw new RpcFault(RpcCode.invalidParams, `${name}: ${place}: ${issue?.message ?? "not accepted"}`);
}

/** MCP servers as our wire has them; undefined for none. */
export function mcpServersOf(servers: EditorParams<"session/new">["mcpServers"]): McpServerConfig[] | undefined {
  if (servers === undefined || servers.length === 0) return undefined;
  return servers.map((server) => {
    if ("url" in server) {
      const { type, name, url, headers } = server;
      return { type, name, url, ...(headers !== undefined && { headers }) };
    }
    const { name, command, args = [], env = [] } = server;
    const variables = Object.fromEntries(env.map((one) => [one.name, one.value]));
    return { name, command, args, ...(env.length > 0 && { env: variables }) };
  });
}

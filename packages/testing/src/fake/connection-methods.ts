import { RpcCode } from "@daemon-sdk/protocol";
import { type FakeCall, type FakeMethod, optionalString, requiredString } from "./calls.js";
import { rpcFault } from "./frames.js";

/** Methods about the connection itself (session spec §3). */
export const CONNECTION_METHODS: ReadonlyMap<string, FakeMethod> = new Map<string, FakeMethod>([
  ["authenticate", authenticate],
  ["logout", logout],
]);

function authenticate(call: FakeCall): unknown {
  const { daemon, link, params } = call;
  requiredString(params, "caller");
  const given = [optionalString(params, "token"), optionalString(params, "apiKey"), optionalString(params, "proof")];
  const wanted = daemon.credential;
  const isKnown = given.some((credential) => credential !== undefined && (wanted ?? credential) === credential);
  if (!isKnown) throw rpcFault(RpcCode.authentication, "Authentication failed");
  link.isAuthenticated = true;
  call.afterReply(() =>
    link.notify("connection_status", { isDroidCLIInPath: false, homedir: "/home/fake", platform: "linux" }),
  );
  const offers = Object.keys(daemon.capabilities).length > 0 ? { capabilities: daemon.capabilities } : {};
  return { userId: "fake-user", orgId: "fake-org", ...offers };
}

function logout({ link }: FakeCall): unknown {
  link.isAuthenticated = false;
  return { accepted: true };
}

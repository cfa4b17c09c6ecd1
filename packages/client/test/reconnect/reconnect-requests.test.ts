import { describe, expect, test } from "vitest";
import { NO_ANSWER, type PermissionRequest } from "../../src/index.js";
import { execPermission } from "../support.js";
import { cameBack, linked } from "./support.js";

describe("requests of the agent, after a reconnect", () => {
  test("that were answered on the dead link are answered again; the handler is asked once", async () => {
    const link = await linked();
    let asked = 0;
    const session = await link.connection.createSession({
      permissionHandler: () => {
        asked += 1;
        // The answer is written to a link that is gone already.
        link.daemon.faults.stall();
        return "proceed_once";
      },
    });
    const answer = link.daemon.sessions.get(session.sessionId)?.askPermission(execPermission());
    await link.clock.settle();
    expect(asked).toBe(1);
    link.daemon.cut();
    link.daemon.faults.heal();
    await cameBack(link);
    expect(await answer).toMatchObject({ selectedOption: "proceed_once" });
    expect(asked).toBe(1);
  });

  test("that were asked meanwhile go to the handler, those resolved elsewhere are withdrawn", async () => {
    const link = await linked();
    const asked: PermissionRequest[] = [];
    const signals: AbortSignal[] = [];
    const session = await link.connection.createSession({
      permissionHandler: (request, { signal }) => {
        asked.push(request);
        signals.push(signal);
        return NO_ANSWER;
      },
    });
    const fake = link.daemon.sessions.get(session.sessionId);
    void fake?.askPermission(execPermission("old", "tool-1"));
    await link.clock.settle();
    link.daemon.stop();
    fake?.inbox.answer(asked[0]?.requestId ?? "", { selectedOption: "cancel" }, "somebody else");
    void fake?.askPermission(execPermission("new", "tool-2"));
    const brief = fake?.askPermission(execPermission("brief", "tool-3"));
    fake?.inbox.answer(fake.inbox.permissions.at(-1)?.requestId ?? "", { selectedOption: "cancel" }, "somebody else");
    await brief;
    link.daemon.start();
    await cameBack(link);
    expect(asked.map(({ toolUses }) => toolUses[0]?.toolUse.id)).toEqual(["tool-1", "tool-2"]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(session.getPendingPermissionRequests().length).toBe(1);
  });

  test("can be answered while there is no link; the answer goes out with the next", async () => {
    const link = await linked();
    const session = await link.connection.createSession({ permissionHandler: () => NO_ANSWER });
    const answer = link.daemon.sessions.get(session.sessionId)?.askPermission(execPermission());
    await link.clock.settle();
    const [request] = session.getPendingPermissionRequests();
    link.daemon.stop();
    await link.clock.settle();
    await session.respondToPermission(request?.requestId ?? "", "proceed_once");
    link.daemon.start();
    await cameBack(link);
    expect(await answer).toMatchObject({ selectedOption: "proceed_once" });
  });
});

import { afterEach, expect, test, vi } from "vitest";
import { createAccess } from "../../src/link/access.js";

afterEach(() => vi.unstubAllGlobals());

test("a tab that ends its access while that is still being given keeps none, and its credential is ended", async () => {
  const kept = new Map<string, string>();
  vi.stubGlobal("location", { hash: "#ticket=t-1", pathname: "/" });
  vi.stubGlobal("history", { replaceState: () => {} });
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
  const calls: { method?: string; authorization?: string | null }[] = [];
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  vi.stubGlobal("fetch", async (_url: string, { method, headers }: RequestInit) => {
    calls.push({ method: method ?? "", authorization: new Headers(headers).get("authorization") });
    if (method === "DELETE") return new Response(null, { status: 204 });
    await given;
    return Response.json({ credential: "secret" });
  });
  const access = createAccess();
  const ticket = access.ticket();
  const left = access.leave();
  give();
  await expect(ticket).rejects.toMatchObject({ code: "AUTH_REJECTED" });
  await left;
  expect(kept.size).toBe(0);
  expect(calls).toEqual([
    { method: "POST", authorization: null },
    { method: "DELETE", authorization: "Bearer secret" },
  ]);
  await expect(access.ticket()).rejects.toMatchObject({ code: "AUTH_REJECTED" });
});

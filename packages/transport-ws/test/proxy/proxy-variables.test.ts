import { describe, expect, test } from "vitest";
import { proxyOf } from "../../src/proxy/proxy-variables.js";

const PROXY = { HTTPS_PROXY: "http://proxy:3128" };
const named = (url: string, env: NodeJS.ProcessEnv) => proxyOf(new URL(url), env)?.url.href;

describe("the proxy of the environment", () => {
  test.each<[string, NodeJS.ProcessEnv, string | undefined]>([
    ["HTTPS_PROXY", PROXY, "http://proxy:3128/"],
    ["ALL_PROXY, without a scheme", { ALL_PROXY: "proxy:3128" }, "http://proxy:3128/"],
    ["small letters first", { ...PROXY, https_proxy: "https://other" }, "https://other/"],
    ["HTTPS_PROXY before ALL_PROXY", { ...PROXY, ALL_PROXY: "http://other" }, "http://proxy:3128/"],
    ["not HTTP_PROXY", { HTTP_PROXY: "http://proxy:3128" }, undefined],
    ["not an empty one", { HTTPS_PROXY: " ", https_proxy: "" }, undefined],
  ])("is that of %s", (_, env, expected) => {
    expect(named("wss://relay.example.com/x", env)).toBe(expected);
  });

  test.each([
    "ws://relay.example.com",
    "ws+unix:///run/d.sock:/",
    "wss://localhost:1",
    "wss://a.localhost",
    "wss://127.1.2.3",
    "wss://[::1]:7",
  ])("does not concern %s", (url) => {
    expect(named(url, PROXY)).toBeUndefined();
  });

  test.each<[noProxy: string, url: string]>([
    ["*", "wss://relay.example.com"],
    ["example.com", "wss://example.com"],
    ["a, Example.com", "wss://relay.example.com"],
    ["a .example.com", "wss://relay.example.com"],
    ["*.example.com", "wss://relay.example.com"],
    ["relay.example.com:443", "wss://relay.example.com"],
    ["relay.example.com:8443", "wss://relay.example.com:8443"],
    ["10.0.0.0/8", "wss://10.1.2.3"],
    ["fd00::/8", "wss://[fd12::1]"],
    ["[fd12::1]:443", "wss://[fd12::1]"],
    ["fd12::1", "wss://[fd12::1]"],
    ["192.168.0.7", "wss://192.168.0.7"],
  ])("is not used with NO_PROXY %j for %s", (noProxy, url) => {
    expect(named(url, { ...PROXY, NO_PROXY: noProxy })).toBeUndefined();
    expect(named(url, { ...PROXY, NO_PROXY: "nowhere", no_proxy: noProxy })).toBeUndefined();
  });

  test.each<[noProxy: string, url: string]>([
    ["", "wss://relay.example.com"],
    [".", "wss://relay.example.com"],
    ["ample.com", "wss://relay.example.com"],
    ["relay.example.com:8443", "wss://relay.example.com"],
    ["10.0.0.0/8, 10.0.0.0/99, 10.0.0.0/x, ::/0", "wss://11.1.2.3"],
    ["10.0.0.0/8", "wss://ten.example.com"],
    ["2.3", "wss://10.1.2.3"],
  ])("is used with NO_PROXY %j for %s", (noProxy, url) => {
    expect(named(url, { ...PROXY, NO_PROXY: noProxy })).toBe("http://proxy:3128/");
  });

  test.each(["socks5://user:hush@proxy", "http://", "::hush"])("that is no proxy of HTTP is refused: %s", (value) => {
    expect(() => proxyOf(new URL("wss://relay.example.com"), { all_proxy: value })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", message: expect.not.stringContaining("hush") }),
    );
  });
});

// Stars only, here and in public-api.ts: bundlers that split by file, such as esbuild, count everything that a used file names as
// needed at first, save by stars. test/bundle-size.test.ts tells when that no longer holds.
export * from "./connect/browser.js";
export * from "./public/index.js";

// Stars only, here and in the folders' doors: bundlers that split by file, such as esbuild, put everything that a used file names into
// the first chunk, save what it names by stars. test/bundle-size.test.ts fails when that no longer works.
export * from "./connect/browser.js";
export * from "./public/index.js";

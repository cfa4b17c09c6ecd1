import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { STATUS_OF_CODE } from "../src/problem/index.js";
import { ROUTES } from "../src/routes/index.js";

const page = readFileSync(new URL("../../../docs/http.md", import.meta.url), "utf8");

test("docs/http.md has the status of every code", () => {
  const rows = [...page.matchAll(/^\| (\d{3}) \| ((?:`[A-Z_]+`(?:, )?)+) \|$/gm)];
  const documented = rows.flatMap(([, status, codes = ""]) =>
    [...codes.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => [code, Number(status)] as const),
  );
  expect(Object.fromEntries(documented)).toEqual(STATUS_OF_CODE);
  expect(documented).toHaveLength(Object.keys(STATUS_OF_CODE).length);
});

test("docs/http.md has every route", () => {
  const rows = [...page.matchAll(/`(GET|POST|PATCH|DELETE) (\/[^`?]*)[^`]*`(, `…(\/\w+)`)?/g)].flatMap(
    ([, method = "", path = "", , other]) => [
      `${method.toLowerCase()} ${path}`,
      ...(other === undefined ? [] : [`${method.toLowerCase()} ${path.replace(/\/\w+$/, other)}`]),
    ],
  );
  const missing = ROUTES.map(({ method, path }) => `${method} ${path}`).filter((route) => !rows.includes(route));
  expect(missing).toEqual([]);
});

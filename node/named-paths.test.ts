import { expect, test } from "vitest";
import { type Access, NamedPaths } from "./named-paths.ts";

function serves(line: string, access: Access, path: string): boolean {
  try {
    NamedPaths.ofLine(line, "/home/me").check(access, path, "/home/me");
    return true;
  } catch {
    return false;
  }
}

test.each([
  ["put book.txt /b", "book.txt"],
  ["put book.txt", "/home/me/book.txt"],
  ["put tree /t", "tree/a/b"],
  ["put a b 'c d' /t/", "c d"],
  ["put . /t", "deep/file"],
  ["put -- -x /t", "-x"],
  ["echo x | cat; put ../up /t && whoami", "/home/up/file"],
  ["import ../a.tar /t", "/home/a.tar"],
  ["map ./m.wasm --lines 5", "m.wasm"],
  ["map --lines 5 m.wasm", "m.wasm"],
])("%s: %s is read, and not written", (line, path) => {
  expect([serves(line, "read", path), serves(line, "write", path)]).toEqual([true, false]);
});

test.each([
  ["get /docs/a.txt", "a.txt"],
  ["get /docs/a.txt b.txt", "b.txt"],
  ["get /docs/a.txt out/", "out/a.txt"],
  ["get /docs", "docs/deep/file"],
  ["get /docs here", "here/deep/file"],
  ["get /", "starfish/file"],
  ["export /docs --zip", "docs.zip"],
  ["export /docs x.tar --tar", "x.tar"],
  ["map mandelbrot --out a.png", "a.png"],
  ["map mandelbrot --out=a.png", "a.png"],
])("%s: %s is written, and not read", (line, path) => {
  expect([serves(line, "write", path), serves(line, "read", path)]).toEqual([true, false]);
});

test.each([
  ["ls /", "/etc/passwd"],
  ["get /etc/passwd", "/etc/passwd"],
  ["get /docs/a.txt b.txt", "a.txt"],
  ["put book.txt /etc", "/etc/passwd"],
  ["put book /b", "bookshelf"],
  ["put book /b", "book/../.ssh/id"],
  ["cat .ssh/id", ".ssh/id"],
  ["whoami", "book.txt"],
  ["put 'open", "open"],
  ["", "/"],
])("%s names no file %s", (line, path) => {
  expect([serves(line, "read", path), serves(line, "write", path)]).toEqual([false, false]);
});

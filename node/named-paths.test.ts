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
  ["put --unpack ../a.tar /t", "/home/a.tar"],
  ["if true; then put a /b; fi", "a"],
  ["echo $(put a /b)", "a"],
  ["mail ben photo.jpg -m hello", "photo.jpg"],
  ["mail reply 3 ../a.txt -s 'a subject'", "/home/a.txt"],
  ["me --picture anna.png", "anna.png"],
  ["me --picture=../anna.png", "/home/anna.png"],
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
  ["get --zip /docs", "docs.zip"],
  ["get --tar /docs x.tar", "x.tar"],
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
  ["mail ben -m book.txt -s b.txt", "book.txt"],
  ["mail ben -m book.txt -s b.txt", "b.txt"],
  ["me name anna.png", "anna.png"],
  ["whoami", "book.txt"],
  ["put 'open", "open"],
  ["f=book.txt; put $f /b", "book.txt"],
  ["", "/"],
])("%s names no file %s", (line, path) => {
  expect([serves(line, "read", path), serves(line, "write", path)]).toEqual([false, false]);
});

test("a line through /host reaches the directories that it may, words beside a line what they name", () => {
  const check = (line: string, path: string, words: readonly string[] = []): boolean => {
    try {
      NamedPaths.ofLine(line, "/home/me", { words, directories: ["/home/me"] }).check("read", path, "/home/me");
      return true;
    } catch {
      return false;
    }
  };
  expect(check("cp -r /host/project /project", "project/a")).toBe(true);
  expect(check("cp -r /host/project /project", "/etc/passwd")).toBe(false);
  expect(check('put "$1" /b', "book.txt", ["sh", "book.txt"])).toBe(true);
  expect(check('put "$1" /b', "other.txt", ["sh", "book.txt"])).toBe(false);
});

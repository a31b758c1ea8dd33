import * as fc from "fast-check";
import { expect, test } from "vitest";
import { concat, equal, text, utf8 } from "../base/bytes.ts";
import { createPipe, readAll } from "./pipe.ts";

test("bytes arrive whole and in order, whatever the sizes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 20 }),
      async (parts, max) => {
        const pipe = createPipe(max);
        const writing = (async () => {
          for (const part of parts) await pipe.output.write(part);
          pipe.output.end();
        })();
        const whole = await readAll(pipe.input, 10_000);
        await writing;
        expect(equal(whole, concat(parts))).toBe(true);
      },
    ),
  );
});

test("the writer waits while the pipe is full", async () => {
  const pipe = createPipe(4);
  let written = false;
  const writing = pipe.output.write(utf8("abcdef")).then(() => (written = true));
  const reader = pipe.input[Symbol.asyncIterator]();
  await Promise.resolve();
  expect(written).toBe(false);
  const first = await reader.next();
  expect(text(first.value)).toBe("abcd");
  await writing;
  expect(text((await reader.next()).value)).toBe("ef");
});

test("memory that the reader gives back is written again, and only then", async () => {
  const pipe = createPipe(2);
  const reader = pipe.input[Symbol.asyncIterator]();
  const next = async (bytes: string): Promise<Uint8Array | undefined> => {
    await pipe.output.write(utf8(bytes));
    return (await reader.next()).value;
  };
  const first = await next("ab");
  const second = await next("cd");
  expect(second).not.toBe(first);
  expect(first).toEqual(utf8("ab"));
  pipe.reuse([utf8("not of its length"), first ?? new Uint8Array(0)]);
  expect(await next("e")).toEqual(utf8("e"));
  const third = await next("fg");
  expect(third).toBe(first);
  expect(third).toEqual(utf8("fg"));
});

test("what a writer does with its memory later does not reach the reader", async () => {
  const pipe = createPipe();
  // Node's Buffers share memory in their `slice`.
  const bytes = utf8("abc");
  Object.assign(bytes, { slice: (from?: number, to?: number) => bytes.subarray(from, to) });
  await pipe.output.write(bytes);
  bytes.fill(0);
  expect(text((await pipe.input[Symbol.asyncIterator]().next()).value)).toBe("abc");
});

test("a writer whose reader has gone gets closed, also while it waits", async () => {
  const pipe = createPipe(2);
  const writing = pipe.output.write(utf8("abcdef"));
  pipe.close();
  await expect(writing).rejects.toMatchObject({ code: "closed" });
  await expect(pipe.output.write(utf8("x"))).rejects.toMatchObject({ code: "closed" });
});

test("leaving a loop does not lose the rest", async () => {
  const pipe = createPipe();
  await pipe.output.write(utf8("a"));
  await pipe.output.write(utf8("b"));
  pipe.output.end();
  for await (const part of pipe.input) {
    expect(text(part)).toBe("a");
    break;
  }
  expect(text(await readAll(pipe.input, 10))).toBe("b");
});

test("readAll is bounded", async () => {
  const pipe = createPipe();
  await pipe.output.write(utf8("abc"));
  await expect(readAll(pipe.input, 2)).rejects.toMatchObject({ code: "too-large" });
});

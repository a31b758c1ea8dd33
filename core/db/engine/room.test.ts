/** Which table is left out when rows take too much memory or time. */
import { expect, test } from "vitest";
import { ROW_MS_MAX, TABLE_MS_MAX } from "../limits.ts";
import { Room } from "./room.ts";

test("the table is blamed that has made the memory grow most, not the one that comes last", () => {
  const connection = { memory: new ArrayBuffer(100) };
  const room = new Room(connection);
  room.open({ bytesMax: 1_000, tooLarge: [] });
  for (const [table, bytes] of [
    ["small", 200],
    ["large", 1_000],
    ["small", 1_100],
  ] as const) {
    connection.memory = new ArrayBuffer(bytes);
    room.took(table, 0);
  }
  connection.memory = new ArrayBuffer(1_101);
  expect(() => room.took("small", 0)).toThrow("more memory");
  expect(room.blamed).toBe("large");
});

test("a table is blamed whose rows take long in all and each, and no other", () => {
  const room = new Room({ memory: new ArrayBuffer(1) });
  const rows = Math.ceil(TABLE_MS_MAX / ROW_MS_MAX);
  for (let i = 0; i < 2 * rows; i++) room.took("of many rows", ROW_MS_MAX - 1);
  room.took("one slow row", TABLE_MS_MAX - 1);
  for (let i = 1; i < rows / 2; i++) room.took("slow", 2 * ROW_MS_MAX);
  expect(room.blamed).toBeUndefined();
  room.took("slow", 2 * ROW_MS_MAX);
  expect(() => room.took("slow", 2 * ROW_MS_MAX)).toThrow("more time");
  expect(room.blamed).toBe("slow");
});

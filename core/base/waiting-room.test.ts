import { expect, test } from "vitest";
import { WaitingRoom } from "./waiting-room.ts";

test("when it is full, the oldest of the place with the most goes, and who has left is not dismissed", () => {
  const gone: string[] = [];
  const room = new WaitingRoom(4);
  const enter = (place: string, name: string): (() => void) => room.enter(place, () => gone.push(name));
  enter("a", "a1");
  const leave = enter("b", "b1");
  enter("b", "b2");
  enter("b", "b3");
  enter("c", "c1");
  expect(gone).toEqual(["b1"]);
  leave();
  expect(room.size).toBe(4);
  for (let i = 0; i < 20; i++) enter("b", `more ${i}`);
  expect(gone).toContain("b3");
  expect(gone.filter((name) => name === "a1" || name === "c1")).toEqual([]);
  expect(room.size).toBe(4);
});

test("who leaves makes room", () => {
  let gone = 0;
  const room = new WaitingRoom(2);
  for (let i = 0; i < 10; i++) room.enter("a", () => gone++)();
  expect([gone, room.size]).toEqual([0, 0]);
});

test("who has many addresses of one IPv6 network has one place", () => {
  const gone: string[] = [];
  const room = new WaitingRoom(8);
  const enter = (place: string): (() => void) => room.enter(place, () => gone.push(place));
  for (const place of ["2001:db8::7", "::ffff:192.0.2.1", "::ffff:192.0.2.2"]) enter(place);
  const many = Array.from(
    { length: 20 },
    (_, i) => `2001:db8:0:1${i % 2 === 0 ? "::" : ":0:1:2:"}${(i + 1).toString(16)}`,
  );
  for (const place of many) enter(place);
  expect(gone).toEqual(many.slice(0, -5));
});

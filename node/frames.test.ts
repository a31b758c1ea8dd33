import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BODY_BYTES_MAX, CONTROL_VERSION, type Frame, FrameSocket, KIND, read, readPiece, schemas } from "./frames.ts";

let folder: string;
let server: Server;
let near: Socket;
let far: Socket;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "starfish-frames-"));
  server = createServer();
  await once(server.listen(join(folder, "socket")), "listening");
  const accepted = once(server, "connection");
  near = connect(join(folder, "socket"));
  [far] = (await accepted) as [Socket];
});

afterEach(async () => {
  near.destroy();
  far.destroy();
  server.close();
  await rm(folder, { recursive: true });
});

async function all(socket: Socket): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of new FrameSocket(socket).frames()) frames.push(frame);
  return frames;
}

test("frames arrive as they were sent, streams in pieces", async () => {
  const received = all(far);
  const sender = new FrameSocket(near);
  const stream = new Uint8Array(2 * BODY_BYTES_MAX + 5).map((_, i) => i % 251);
  await sender.sendMessage(KIND.open, { version: CONTROL_VERSION, run: { kind: "line", text: "echo ü" } });
  await sender.send(KIND.stdin, stream);
  await sender.sendFile(KIND.fileData, 7, stream);
  await sender.send(KIND.stdinEnd);
  sender.end();
  const frames = await received;
  const [open] = frames;
  expect(open && read(schemas.open, open)).toEqual({ version: CONTROL_VERSION, run: { kind: "line", text: "echo ü" } });
  const stdin = frames.filter((frame) => frame.kind === KIND.stdin);
  expect(Buffer.concat(stdin.map((frame) => frame.body)).equals(stream)).toBe(true);
  const pieces = frames.filter((frame) => frame.kind === KIND.fileData).map(readPiece);
  expect(pieces.every((piece) => piece.id === 7)).toBe(true);
  expect(Buffer.concat(pieces.map((piece) => piece.bytes)).equals(stream)).toBe(true);
  expect(frames.at(-1)).toEqual({ kind: KIND.stdinEnd, body: new Uint8Array() });
});

test("a sender waits while nobody reads", async () => {
  const sender = new FrameSocket(near);
  let sent = 0;
  const sending = (async () => {
    for (; sent < 100; sent++) await sender.send(KIND.stdout, new Uint8Array(BODY_BYTES_MAX));
    sender.end();
  })();
  await expect.poll(() => near.writableNeedDrain).toBe(true);
  expect(sent).toBeLessThan(100);
  expect(await all(far)).toHaveLength(100);
  await sending;
});

test("many who wait for room share one listener", async () => {
  const sender = new FrameSocket(near);
  const sending = Array.from({ length: 20 }, () => sender.send(KIND.stdout, new Uint8Array(BODY_BYTES_MAX)));
  await expect.poll(() => near.writableNeedDrain).toBe(true);
  expect(near.listenerCount("drain")).toBe(1);
  const received = all(far);
  await Promise.all(sending);
  sender.end();
  expect(await received).toHaveLength(20);
});

test.each([
  ["no length", [0, 0, 0, 0, 1]],
  ["far too long", [255, 255, 255, 255, 1]],
])("what is no frame is refused: %s", async (_, bytes) => {
  near.write(Uint8Array.from(bytes));
  await expect(all(far)).rejects.toMatchObject({ code: "malformed" });
});

test("half a frame and a wrong message are none", async () => {
  const received = all(far);
  near.end(Uint8Array.from([0, 0, 0, 9, 1, 2]));
  expect(await received).toEqual([]);
  expect(() => read(schemas.open, { kind: KIND.open, body: Uint8Array.of(0xff) })).toThrow("CBOR");
  expect(() => readPiece({ kind: KIND.fileData, body: Uint8Array.of(1) })).toThrow("piece");
});

test("sending to who has gone is closed", async () => {
  const sender = new FrameSocket(near);
  far.destroy();
  await once(near.resume(), "close");
  await expect(sender.send(KIND.stdout, Uint8Array.of(1))).rejects.toMatchObject({ code: "closed" });
});

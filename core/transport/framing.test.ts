import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, equal } from "../base/bytes.ts";
import { own } from "../base/owned.ts";
import { MESSAGE_BYTES_MAX } from "../ports/network.ts";
import { encodeFrames, endFrame, FrameDecoder } from "./framing.ts";

interface Decoded {
  messages: Uint8Array[];
  ended: boolean;
  tooLarge: number | undefined;
}

function decode(chunks: readonly Uint8Array[]): Decoded {
  const decoded: Decoded = { messages: [], ended: false, tooLarge: undefined };
  const decoder = new FrameDecoder({
    message: (message) => decoded.messages.push(message),
    end: () => (decoded.ended = true),
    tooLarge: (length) => (decoded.tooLarge = length),
  });
  for (const chunk of chunks) decoder.push(chunk);
  return decoded;
}

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (let i = 0; offset < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : (sizes[i % sizes.length] ?? 1);
    chunks.push(bytes.subarray(offset, offset + size));
    offset += size;
  }
  return chunks;
}

/** Lengths on both sides of the limit below which messages are copied. */
const anyMessage = fc
  .tuple(fc.constantFrom(0, 1, 3, 100, 4095, 4096, 9000), fc.nat(255))
  .map(([length, fill]) => new Uint8Array(length).fill(fill));

describe("frames", () => {
  it("give back the messages and the end, however the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(anyMessage, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 5 }),
        (messages, sizes) => {
          const bytes = concat([...encodeFrames(messages), endFrame()]);
          const decoded = decode(cut(bytes, sizes));
          expect(decoded.messages.map((message) => message.length)).toEqual(messages.map((message) => message.length));
          expect(decoded.messages.every((message, i) => equal(message, messages[i] ?? message))).toBe(true);
          expect(decoded).toMatchObject({ ended: true, tooLarge: undefined });
        },
      ),
    );
  });

  it("pack small messages into one piece", () => {
    const small = Array.from({ length: 100 }, () => new Uint8Array(10));
    expect(encodeFrames(small)).toHaveLength(1);
    expect(encodeFrames([...small, new Uint8Array(10_000), ...small])).toHaveLength(3);
  });

  it("take memory for a large message only as it comes", () => {
    const allocated: number[] = [];
    const Real = globalThis.Uint8Array;
    const decoder = new FrameDecoder({ message: () => {}, end: () => {}, tooLarge: () => {} });
    const [head = new Real()] = encodeFrames([new Real(MESSAGE_BYTES_MAX)]);
    // An array that is constructed from a length is new memory.
    globalThis.Uint8Array = new Proxy(Real, {
      construct(target, args: [number]) {
        if (typeof args[0] === "number") allocated.push(args[0]);
        return new target(...args);
      },
    });
    try {
      decoder.push(head);
      expect(Math.max(0, ...allocated)).toBeLessThanOrEqual(1_024);
      for (let came = 0; came < MESSAGE_BYTES_MAX; came += 50_000) {
        decoder.push(new Real(50_000));
        expect(Math.max(0, ...allocated)).toBeLessThanOrEqual(4 * (came + 50_000));
      }
    } finally {
      globalThis.Uint8Array = Real;
    }
  });

  it("refuse what is larger than this channel's messages may be", () => {
    let refused = 0;
    const decoder = new FrameDecoder(
      { message: () => {}, end: () => {}, tooLarge: (length) => (refused = length) },
      1_024,
    );
    for (const piece of encodeFrames([new Uint8Array(1_024)])) decoder.push(piece);
    expect(refused).toBe(0);
    for (const piece of encodeFrames([new Uint8Array(1_025)])) decoder.push(piece);
    expect(refused).toBe(1_025);
  });

  it("take the largest message and refuse the next larger one", () => {
    const framed = (length: number): Uint8Array[] => encodeFrames([new Uint8Array(length)]);
    expect(decode(framed(MESSAGE_BYTES_MAX)).messages[0]?.length).toBe(MESSAGE_BYTES_MAX);
    const tooLarge = decode([...framed(MESSAGE_BYTES_MAX + 1), ...framed(MESSAGE_BYTES_MAX)]);
    expect(tooLarge).toEqual({ messages: [], ended: false, tooLarge: MESSAGE_BYTES_MAX + 1 });
  });

  it("say nothing of a message that is not complete, nor of what follows the end", () => {
    const [frame] = encodeFrames([new Uint8Array(100)]);
    expect(decode([frame?.subarray(0, 50) ?? new Uint8Array()]).messages).toEqual([]);
    expect(decode([endFrame(), ...encodeFrames([new Uint8Array(1)])])).toMatchObject({ messages: [], ended: true });
  });

  it("take messages in pieces, small and large ones", () => {
    const [small, large] = [new Uint8Array(10).fill(1), new Uint8Array(100_000).fill(2)];
    const messages = [small, [small, large, small], [], [large]];
    const frames = encodeFrames(messages);
    expect(frames.filter((piece) => piece === large)).toHaveLength(2);
    expect(frames).toHaveLength(4);
    const decoded = decode([concat(frames)]).messages;
    expect(decoded).toEqual([small, concat([small, large, small]), new Uint8Array(0), large]);
  });

  it("give back the memory of chunks of which nothing is passed on", () => {
    const chunksOf = (length: number): Uint8Array[] => {
      const bytes = concat(encodeFrames([new Uint8Array(length)]));
      return [own(bytes.slice(0, 20_000)), own(bytes.slice(20_000))];
    };
    const copied = chunksOf(100_000);
    decode(copied);
    expect(copied.map(({ length }) => length)).toEqual([0, 0]);
    const [chunk] = encodeFrames([new Uint8Array(10)]);
    const kept = concat([chunk as Uint8Array, ...encodeFrames([new Uint8Array(20_000).fill(3)])]);
    const [, passedOn] = decode([kept]).messages;
    expect(passedOn).toEqual(new Uint8Array(20_000).fill(3));
  });

  it("are right in whatever kind of memory the chunks lie, and leave alone what is not theirs", () => {
    const length = fc.constantFrom(0, 1, 100, 4_095, 4_096, 20_000, 65_535, 65_536, 70_000, 300_000);
    fc.assert(
      fc.property(
        fc.array(length, { minLength: 1, maxLength: 6 }),
        fc.array(fc.constantFrom(1, 3, 4_000, 16_384, 65_536, 400_000), { maxLength: 5 }),
        fc.infiniteStream(fc.constantFrom(...Object.keys(MEMORY))),
        (lengths, sizes, kinds) => {
          const messages = lengths.map((bytes, i) => pattern(bytes, i));
          const foreign: { readonly buffer: ArrayBufferLike; readonly bytes: number }[] = [];
          const chunks = cut(concat([...encodeFrames(messages), endFrame()]), [...sizes, 30_000]).map((bytes) => {
            const kind = kinds.next().value;
            const chunk = (MEMORY[kind] ?? whole)(bytes);
            if (kind !== "owned") foreign.push({ buffer: chunk.buffer, bytes: chunk.buffer.byteLength });
            return chunk;
          });
          const decoded = decode(chunks);
          // Only now, when every chunk has been taken.
          expect(decoded.messages.map((message) => message.length)).toEqual(lengths);
          expect(decoded.messages.findIndex((message, i) => !equal(message, messages[i] ?? message))).toBe(-1);
          expect(decoded.messages.every((message) => message.constructor === Uint8Array)).toBe(true);
          expect(foreign.every(({ buffer, bytes }) => buffer.byteLength === bytes)).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("hold a small message behind the end of a large one, in a Buffer that is all of its memory", () => {
    const [large, small] = [new Uint8Array(100_000).fill(1), new Uint8Array(10).fill(2)];
    const bytes = concat(encodeFrames([large, small]));
    const last = bytes.slice(60_000);
    const chunk = "Buffer" in globalThis ? Buffer.from(last.buffer) : last;
    expect(decode([bytes.slice(0, 60_000), own(chunk)]).messages).toEqual([large, small]);
  });
});

const NOISE = Uint8Array.from({ length: 310_000 }, (_, i) => (i * 31 + (i >> 8)) & 255);

function pattern(length: number, seed: number): Uint8Array {
  return NOISE.slice(seed, seed + length);
}

function whole(bytes: Uint8Array): Uint8Array {
  return bytes.slice();
}

function inside(bytes: Uint8Array): Uint8Array {
  const around = new Uint8Array(bytes.length + 40_000);
  around.set(bytes, 20_000);
  return around.subarray(20_000, 20_000 + bytes.length);
}

/** The ways in which bytes can come. In tabs there are no Buffers. */
const MEMORY: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  owned: (bytes) => own(whole(bytes)),
  whole,
  inside,
  ...("Buffer" in globalThis && {
    "a Buffer that is all of its memory": (bytes: Uint8Array) => Buffer.from(whole(bytes).buffer as ArrayBuffer),
    "a Buffer out of the pool": (bytes: Uint8Array) => Buffer.from(bytes),
    "a part of a Buffer": (bytes: Uint8Array) => Buffer.from(inside(bytes).buffer as ArrayBuffer, 20_000, bytes.length),
  }),
};

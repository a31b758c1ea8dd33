import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, equal } from "../base/bytes.ts";
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
      return [bytes.slice(0, 20_000), bytes.slice(20_000)];
    };
    const copied = chunksOf(100_000);
    decode(copied);
    expect(copied.map(({ length }) => length)).toEqual([0, 0]);
    const [chunk] = encodeFrames([new Uint8Array(10)]);
    const kept = concat([chunk as Uint8Array, ...encodeFrames([new Uint8Array(20_000).fill(3)])]);
    const [, passedOn] = decode([kept]).messages;
    expect(passedOn).toEqual(new Uint8Array(20_000).fill(3));
  });
});

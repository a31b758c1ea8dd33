import { multiaddrConnectionPair } from "@libp2p/utils";
import { expect, test } from "vitest";
import { guardedYamux } from "./guarded.ts";

test("a stream that is opened while its connection closes ends the connection, and nothing else", async () => {
  const faults: unknown[] = [];
  const [connection] = multiaddrConnectionPair();
  const muxer = guardedYamux({}, (error) => faults.push(error))().createStreamMuxer(connection);
  const opening = muxer.createStream();
  // The moment between asking for a stream and telling the other end.
  connection.abort(new Error("gone"));
  const stream = await opening;
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(stream.status).not.toBe("open");
  expect(muxer.status).toBe("closed");
  // Code that goes on using it finds a closed stream, and no exception is thrown.
  await expect(muxer.createStream()).rejects.toThrow(/closed|not open/i);
  expect(faults).toEqual([]);
});

test("whatever a connection throws while it sends ends it", async () => {
  const faults: unknown[] = [];
  const [connection] = multiaddrConnectionPair();
  const muxer = guardedYamux({}, (error) => faults.push(error))().createStreamMuxer(connection);
  connection.send = () => {
    throw new TypeError("a bug of a library");
  };
  const stream = await muxer.createStream();
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(faults).toMatchObject([{ message: "a bug of a library" }]);
  expect([stream.status, connection.status]).toEqual(["aborted", "aborted"]);
});

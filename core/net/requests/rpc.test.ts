/** What a server does with a channel whose other end does not behave. */
import { expect, test } from "vitest";
import * as v from "valibot";
import { encode } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import { realClock } from "../../platform/clock.ts";
import type { Channel } from "../../ports/network.ts";
import type { LinkTable } from "../links/link-table.ts";
import type { AdmittedLink } from "../links/links.ts";
import { createRpc } from "./rpc.ts";

const PROTOCOL = "/test/echo/1.0.0";

test("whoever reads no replies loses the channel, and nothing goes unhandled", async () => {
  let accept: (channel: Channel, link: AdmittedLink) => void = () => {};
  const links = {
    accept: (_: string, accepted: typeof accept) => {
      accept = accepted;
      return () => {};
    },
    misbehaved: () => {},
  };
  const rpc = createRpc({ links: links as unknown as LinkTable, clock: realClock, log: { write: () => {} } });
  rpc.handle(PROTOCOL, v.number(), async (number) => number);
  let ask: (message: Uint8Array) => void = () => {};
  let replies = 0;
  const aborted = new Promise<StarfishError>((resolve) => {
    const channel: Channel = {
      protocol: PROTOCOL,
      send: () => {
        if (++replies > 2) throw new StarfishError("busy", "Nobody reads");
        return true;
      },
      drained: async () => {},
      end: () => {},
      abort: resolve,
      onMessage: (receive) => void (ask = receive),
      onEnd: () => {},
      onClose: () => {},
    };
    accept(channel, { peer: "somebody" } as unknown as AdmittedLink);
  });
  for (let i = 1; i <= 3; i++) {
    ask(encode(i));
    await expect.poll(() => replies).toBe(i);
  }
  expect((await aborted).code).toBe("busy");
});

/** How a receiver tells the sender that it does not take a transfer, or takes no more of it. */
import type { StarfishError } from "../../base/errors.ts";
import type { Channel } from "../../ports/network.ts";
import { MESSAGE_CHARS_MAX } from "./limits.ts";
import { controlMessage, REFUSALS } from "./wire.ts";

/** Tells the sender why the transfer ends. */
export function refuse(channel: Channel, error: StarfishError): void {
  const code = REFUSALS.find((one) => one === error.code) ?? "io";
  const message = error.message.slice(0, MESSAGE_CHARS_MAX).toWellFormed();
  channel.send(controlMessage({ is: "refuse", code, message }));
  channel.end();
}

/** Devices of the person at a member: each write is one text. */
import { concat, text, type Bytes } from "../../../base/bytes.ts";
import { StarfishError } from "../../../base/errors.ts";
import { TEXT_CHARS_MAX } from "../../../io/devices/limits.ts";
import { DEVICE_NAMES, type DeviceName, type Devices } from "../../../io/devices/types.ts";
import type { PeerId } from "../../../ports/network.ts";
import type { FileView, View } from "../view.ts";

const UTF8_BYTES_A_CHAR_MAX = 3;

const ABOUT: Readonly<Record<DeviceName, string>> = {
  notify: "shows a notice",
  tty: "writes to the terminal",
  clipboard: "offers a text to be pasted",
};

export function personDevices(peer: PeerId, devices: Devices): ReadonlyMap<string, View> {
  return new Map(DEVICE_NAMES.map((device): [string, View] => [device, deviceView(peer, device, devices)]));
}

function deviceView(peer: PeerId, device: DeviceName, devices: Devices): FileView {
  return {
    kind: "device",
    mode: 0o222,
    about: ABOUT[device],
    why: "what a person sees and copies is nobody else's to read",
    async write(source, { signal }) {
      const written = text(await collect(source));
      // The line break at the end comes from the shell.
      if (written !== "") await devices.write(peer, device, written.replace(/\n$/, ""), { signal });
    },
  };
}

async function collect(source: AsyncIterable<Bytes>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of source) {
    length += bytes.length;
    if (length > UTF8_BYTES_A_CHAR_MAX * TEXT_CHARS_MAX) {
      throw new StarfishError(
        "too-large",
        `a text for a person has at most ${TEXT_CHARS_MAX} characters; put it in a file, and say which`,
      );
    }
    parts.push(Uint8Array.from(bytes));
  }
  return concat(parts);
}

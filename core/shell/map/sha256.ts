/** map sha256: the SHA-256 of files, as sha256sum prints them. */
import { toHex, utf8 } from "../../base/bytes.ts";
import { filesOf } from "./inputs.ts";
import { Named } from "./output.ts";
import type { MapTask } from "./task.ts";

export const sha256: MapTask = {
  takesWords: true,
  prepare(_options, context, words) {
    const named = new Named(false);
    return Promise.resolve({
      inputs: filesOf(words, context, (name) => named.add(name)),
      ordered: true,
      take: ({ index, output }) => context.stdout.write(utf8(`${toHex(output)}  ${named.of(index)}\n`)),
      finish: () => Promise.resolve(),
    });
  },
};

/** import: the former name of `put --unpack`. */
import { StarfishError } from "../../base/errors.ts";
import type { Command } from "../types.ts";

export const importFiles: Command = {
  name: "import",
  summary: "now 'put --unpack'",
  help: `
usage: put --unpack HOSTPATH [DEST]

'put --unpack' unpacks archives; 'get --tar', '--zip' and '--car' make them.

  put --help
`,
  run: ({ args }) =>
    Promise.reject(new StarfishError("usage", `'put --unpack ${args.join(" ")}' unpacks archives now`)),
};

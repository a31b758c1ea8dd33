/** clear: an empty screen. */
import { sequence } from "../styled.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";
import { noOperands } from "../operands.ts";

/** Cursor home, erase the screen, erase what scrolled away (ECMA-48, and xterm's extension 3J). */
const ERASE = sequence("\x1b[H\x1b[2J\x1b[3J");

/** `reset` also ends colours, other character sets and the alternate screen (RIS of ECMA-48). */
const RESET = sequence("\x1bc");

export const reset: Command = {
  name: "reset",
  summary: "set the terminal right after bytes have confused it",
  help: `
usage: reset

Sets the terminal as it was at its start, and empties it. 'cat' of a file that is no text may have changed its colours or
letters.

  reset
`,
  async run({ args, host, stdout, terminal }) {
    noOperands(parseArguments(args, {}).operands);
    if (terminal.stdout !== undefined) await stdout.print(RESET);
    host.clear?.();
    return 0;
  },
};

export const clear: Command = {
  name: "clear",
  summary: "clear the screen",
  help: `
usage: clear

Empties the screen and its scrollback. Ctrl-L keeps the line that you are typing.

  clear
`,
  async run({ args, host, stdout, terminal }) {
    noOperands(parseArguments(args, {}).operands);
    if (host.clear) host.clear();
    else if (terminal.stdout !== undefined) await stdout.print(ERASE);
    return 0;
  },
};

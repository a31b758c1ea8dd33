/** The commands that every shell has, in the order of `help`. */
import type { Command } from "../types.ts";
import { allow, refuse } from "./allow.ts";
import { cancel } from "./cancel.ts";
import { clear, reset } from "./clear.ts";
import { fileCommands } from "./files.ts";
import { help, man } from "./help.ts";
import { history } from "./history.ts";
import { invite } from "./invite.ts";
import { job } from "./job.ts";
import { edit, less, more, watch } from "./less.ts";
import { mail } from "./mail.ts";
import { map } from "./map.ts";
import { me } from "./me.ts";
import { mem } from "./mem.ts";
import { name } from "./name.ts";
import { peers } from "./peers.ts";
import { ping } from "./ping.ts";
import { ps } from "./ps.ts";
import { sql } from "./sql.ts";
import { receive, send } from "./send.ts";
import { top } from "./top.ts";
import { whoami } from "./whoami.ts";

/** `all` is what `help` lists: these commands, and those that the place where the shell runs has added. */
export function builtinCommands(all: () => readonly Command[]): readonly Command[] {
  return [
    peers,
    map,
    job,
    ps,
    top,
    cancel,
    mem,
    sql,
    ...fileCommands,
    invite,
    whoami,
    name,
    ping,
    mail,
    me,
    send,
    receive,
    allow,
    refuse,
    less,
    more,
    edit,
    watch,
    history,
    clear,
    reset,
    help(all),
    man(all),
  ];
}

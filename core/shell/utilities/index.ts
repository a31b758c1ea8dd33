/** The utilities that every shell has: POSIX's, with GNU's options where people expect them. */
import type { Command } from "../types.ts";
import { basename } from "./basename.ts";
import { cat } from "./cat.ts";
import { chmod } from "./chmod.ts";
import { cmp } from "./cmp.ts";
import { column } from "./column.ts";
import { cp } from "./cp.ts";
import { cut } from "./cut.ts";
import { date } from "./date.ts";
import { diff } from "./diff.ts";
import { dirname } from "./dirname.ts";
import { du } from "./du.ts";
import { env, printenv } from "./env.ts";
import { expr } from "./expr.ts";
import { find } from "./find.ts";
import { egrep, fgrep, grep } from "./grep.ts";
import { head } from "./head.ts";
import { ln } from "./ln.ts";
import { ls } from "./ls.ts";
import { hostname, id, tty, uname, which } from "./machine.ts";
import { mkdir } from "./mkdir.ts";
import { mv } from "./mv.ts";
import { nl } from "./nl.ts";
import { paste } from "./paste.ts";
import { patch } from "./patch.ts";
import { realpath } from "./realpath.ts";
import { rm, rmdir } from "./rm.ts";
import { sed } from "./sed.ts";
import { seq } from "./seq.ts";
import { sleep } from "./sleep.ts";
import { sort } from "./sort.ts";
import { rev, tac } from "./tac.ts";
import { tail } from "./tail.ts";
import { tar } from "./tar.ts";
import { tee } from "./tee.ts";
import { timeout } from "./timeout.ts";
import { touch } from "./touch.ts";
import { tr } from "./tr.ts";
import { uniq } from "./uniq.ts";
import { wc } from "./wc.ts";
import { xargs } from "./xargs.ts";
import { xxd } from "./xxd.ts";
import { yes } from "./yes.ts";
import { unzip, zip } from "./zip.ts";

export const utilities: readonly Command[] = [
  ls,
  cat,
  cp,
  mv,
  rm,
  mkdir,
  rmdir,
  touch,
  ln,
  chmod,
  du,
  find,
  head,
  tail,
  grep,
  egrep,
  fgrep,
  sort,
  uniq,
  diff,
  cmp,
  patch,
  cut,
  paste,
  column,
  tr,
  wc,
  nl,
  tac,
  rev,
  xxd,
  tar,
  zip,
  unzip,
  tee,
  xargs,
  sed,
  seq,
  yes,
  expr,
  basename,
  dirname,
  realpath,
  date,
  sleep,
  timeout,
  env,
  printenv,
  hostname,
  id,
  tty,
  uname,
  which,
];

/** The commands for files, by their place in `help`. */
import type { Command } from "../types.ts";
import { cat } from "./cat.ts";
import { cp } from "./cp.ts";
import { df } from "./df.ts";
import { exportFiles } from "./export.ts";
import { get } from "./get.ts";
import { importFiles } from "./import.ts";
import { keep } from "./keep.ts";
import { ls } from "./ls.ts";
import { mkdir } from "./mkdir.ts";
import { mv } from "./mv.ts";
import { put } from "./put.ts";
import { restore } from "./restore.ts";
import { rm } from "./rm.ts";
import { stat } from "./stat.ts";
import { versions } from "./versions.ts";

export const fileCommands: readonly Command[] = [
  ls,
  cat,
  put,
  get,
  cp,
  mv,
  rm,
  mkdir,
  stat,
  df,
  versions,
  restore,
  keep,
  exportFiles,
  importFiles,
];

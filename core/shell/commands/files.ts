/** The commands for files, in the order of `help`. */
import type { Command } from "../types.ts";
import { df } from "./df.ts";
import { get } from "./get.ts";
import { importFiles } from "./import.ts";
import { keep } from "./keep.ts";
import { put } from "./put.ts";
import { restore } from "./restore.ts";
import { stat } from "./stat.ts";
import { versions } from "./versions.ts";

export const fileCommands: readonly Command[] = [put, get, stat, df, versions, restore, keep, importFiles];

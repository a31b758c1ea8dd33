/** The page's side of wasi-chromium.ts. */
import { tabProgramPlatform } from "../../browser/program-platform.ts";
import { runWasiCase, type WasiOutcome } from "./wasi-case.ts";
import type { WasiCase } from "./wasi-suite.ts";

export interface PortableCase extends Omit<WasiCase, "suite" | "module" | "files"> {
  readonly module: string;
  readonly files: Readonly<Record<string, string | null>> | undefined;
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

async function runPortable({ module, files, ...rest }: PortableCase): Promise<WasiOutcome> {
  return await runWasiCase(
    {
      ...rest,
      module: bytesOf(module),
      files:
        files &&
        Object.fromEntries(
          Object.entries(files).map(([path, content]) => [path, content === null ? null : bytesOf(content)]),
        ),
    },
    tabProgramPlatform,
  );
}

Object.assign(globalThis, { runPortable });

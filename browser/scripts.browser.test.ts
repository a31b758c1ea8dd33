import micropython from "@micropython/micropython-webassembly-pyscript/micropython.wasm?url";
import quickjs from "quickjs-wasi/quickjs.wasm?url";
import { scriptsContract } from "../core/sandbox/languages/scripts.contract.ts";
import { browserSandbox } from "./sandbox.ts";

const URLS = { javascript: quickjs, python: micropython };

scriptsContract("Web Workers", {
  sandbox: () => browserSandbox({ cores: 1 }),
  engine: async (kind) => new Uint8Array(await (await fetch(URLS[kind])).arrayBuffer()),
});

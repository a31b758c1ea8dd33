/** The program `starfish`: reads its arguments and runs one of its commands. */
import "./small-heap.ts";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { messageOf, StarfishError } from "../core/base/errors.ts";
import { checkName } from "../core/net/identity/names.ts";
import { keepCompiled } from "./compile-cache.ts";
import { defaultDataDir } from "./data-dir.ts";
import { EXIT, exitStatusOf } from "./exit-status.ts";
import { inviteFrom } from "./invite-source.ts";
import { coresFrom, databaseFrom, storageFrom } from "./lending.ts";
import { PORT_DEFAULT } from "./listen.ts";
import { packageVersion } from "./package-root.ts";
import { print } from "./report.ts";
import type { TlsChoice } from "./tls.ts";

const HELP = `usage: starfish up      start a node: it serves the page, lends its cores and prints an invite
       starfish sh      a terminal at the running node (-c LINE runs one line, SCRIPT a script)
       starfish invite  print the invite of the running node
       starfish receive LINK  fetch what somebody sends with a code ('send --code'), without becoming a member

       starfish COMMAND --help    says more
       starfish --version
`;

const UP_HELP = `usage: starfish up [--port N] [--host ADDR] [--url URL] [--tls self] [--tls-cert FILE --tls-key FILE]
                   [--data DIR] [--join INVITE] [--name NAME] [--cores N] [--storage SIZE] [--database SIZE] [--device NAME]
                   [--app FILE|DIR] [--json]

Starts a node and runs until Ctrl-C. It founds a swarm, or comes back to the one it was in, or joins that of an invite.
Once it serves it prints one line 'invite: URL'; whoever opens that link in a browser, or gives it to --join, is in.

  --port N       listen on this port (default: ${PORT_DEFAULT}, or the next free port; 0: any)
  --host ADDR    listen on this address (default: 127.0.0.1, this machine only; 0.0.0.0: everybody who reaches it)
  --url URL      the page's address in invites, if others reach it by another one (a container, a proxy)
  --tls self     serve the page by https, with a certificate that the node makes and keeps: browsers ask once whether to
                 trust it. Without TLS other devices get the page unprotected, and store nothing
  --tls-cert FILE --tls-key FILE
                 serve it by https with a certificate (chain) and key of your own, in PEM form
  --data DIR     where the node keeps its identity and its part of the swarm's files (default: $STARFISH_DATA, or
                 ~/.local/share/starfish)
  --join INVITE  join the swarm of this link. Other users of this machine can see it in the list of processes; '-' reads it
                 from standard input, '@FILE' from a file, and without --join it is taken from $STARFISH_JOIN
  --name NAME    what the node is called (default: two friendly words)
  --cores N      cores lent to everybody's jobs (default: half of them)
  --storage SIZE disk offered to everybody's files: 500M, 10G (default: a tenth of what is free, up to 2G)
                 Without --cores and --storage it asks on the first start at a terminal, and remembers the answers
  --database SIZE
                 how large the shared database may become on this node, which holds it in memory (default: 256 MiB)
  --device NAME  nodes with the same NAME count as one for storage: use it for nodes that fail together
  --app FILE|DIR serve a page of yours at /app/: an HTML file, or a folder with an index.html. With /starfish.js it takes
                 part in the swarm; its link is printed as 'app: URL'
  --json         say everything as JSON, one object a line

  starfish up --data ./node-1 --port 4501
  starfish up --host 0.0.0.0 --tls self
  starfish up --app list.html
  pbpaste | starfish up --data ./node-2 --join -
`;

const SH_HELP = `usage: starfish sh [--data DIR]                          a terminal
       starfish sh [--data DIR] -c LINE [NAME [WORD…]]   one line; NAME is its $0
       starfish sh [--data DIR] SCRIPT [WORD…]           a script of this machine
       starfish sh [--data DIR] < SCRIPT                 a script on standard input

The shell of the node that runs in DIR: bash's language, over the files of the swarm. It exits with the status of the
last command. A terminal first runs /.starfishrc and /.starfishrc.NODENAME of the swarm's files, if they exist.

A terminal and a script reach this machine's files in the directory where they were started; a LINE only those it names.

  --files DIR    they reach the files in DIR as well; may be given several times

  cat book.txt | starfish sh -c "map wordcount"
  starfish sh -c 'for name; do echo "hello $name"; done' greet otter heron
`;

const INVITE_HELP = `usage: starfish invite [--data DIR] [--json]

Prints the invite of the node that runs in DIR; on a terminal also as a QR code.

  starfish invite --data ./node-1
`;

const RECEIVE_HELP = `usage: starfish receive LINK [DIR|-] [--json]

Fetches what a link with a code is for into DIR (default: here), where it replaces nothing, or to standard output. It needs
no node and joins nothing. The sender's 'send --code' must still be running; the link is good once.

  starfish receive "https://192.168.1.7:4500/#code=7-brisk-otter-meadow" downloads
`;

const COMMON = { data: { type: "string" }, help: { type: "boolean", short: "h" } } as const;

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "up":
      return await runUp(rest);
    case "sh":
      return await runSh(rest);
    case "invite":
      return await runInvite(rest);
    case "receive":
      return await runReceive(rest);
    case "--version":
    case "-V":
      return say(`starfish ${packageVersion()}\n`);
    case "--help":
    case "-h":
    case "help":
      return say(HELP);
    case undefined:
      process.stderr.write(HELP);
      return EXIT.usage;
    default:
      throw new StarfishError("usage", `there is no command '${command}'; try 'starfish --help'`);
  }
}

async function runUp(args: string[]): Promise<number> {
  const text = { type: "string" } as const;
  const options = {
    ...COMMON,
    port: text,
    host: text,
    url: text,
    tls: text,
    "tls-cert": text,
    "tls-key": text,
    join: text,
    name: text,
    cores: text,
    storage: text,
    database: text,
    device: text,
    app: text,
    json: { type: "boolean" },
  } as const;
  const { values } = parse({ args, options });
  if (values.help === true) return say(UP_HELP);
  if (values.name !== undefined) checkName(values.name, "--name");
  if (values.device !== undefined) checkName(values.device, "--device");
  await keepCompiled();
  const { up } = await import("./up.ts");
  return await up({
    dataDir: values.data ?? defaultDataDir(),
    host: values.host ?? "127.0.0.1",
    port: numberOf(values.port, "--port", 0, 65_535),
    url: urlOf(values.url),
    tls: tlsOf(values.tls, values["tls-cert"], values["tls-key"]),
    join: await inviteFrom(values.join, process),
    name: values.name,
    cores: values.cores === undefined ? undefined : coresFrom(values.cores, "--cores"),
    storageBytes: values.storage === undefined ? undefined : storageFrom(values.storage, "--storage"),
    databaseBytesMax: values.database === undefined ? undefined : databaseFrom(values.database, "--database"),
    device: values.device,
    app: values.app,
    json: values.json ?? false,
  });
}

/** Options of `sh` end at the script's name, or at the line's $0: what follows is the script's own. */
function cutWords(args: readonly string[]): { own: string[]; words: string[] } {
  let at = 0;
  while (at < args.length) {
    const arg = args[at] ?? "";
    if (arg === "--") return { own: args.slice(0, at), words: args.slice(at + 1) };
    if (!/^-./.test(arg)) break;
    at += ["-c", "--command", "--data", "--files"].includes(arg) ? 2 : 1;
  }
  return { own: args.slice(0, at), words: args.slice(at) };
}

async function runSh(args: string[]): Promise<number> {
  const { own, words } = cutWords(args);
  const files = { type: "string", multiple: true } as const;
  const { values } = parse({ args: own, options: { ...COMMON, files, command: { type: "string", short: "c" } } });
  if (values.help === true) return say(SH_HELP);
  await keepCompiled();
  const { sh } = await import("./sh.ts");
  return await sh({ dataDir: values.data ?? defaultDataDir(), line: values.command, words, files: values.files });
}

async function runInvite(args: string[]): Promise<number> {
  const { values } = parse({ args, options: { ...COMMON, json: { type: "boolean" } } });
  if (values.help === true) return say(INVITE_HELP);
  await keepCompiled();
  const { sh } = await import("./sh.ts");
  return await sh({
    dataDir: values.data ?? defaultDataDir(),
    line: values.json === true ? "invite --json" : "invite",
  });
}

async function runReceive(args: string[]): Promise<number> {
  const json = { type: "boolean" } as const;
  const { values, positionals } = parse({ args, options: { help: COMMON.help, json }, allowPositionals: true });
  if (values.help === true) return say(RECEIVE_HELP);
  const [link, directory = ".", ...more] = positionals;
  if (link === undefined) throw new StarfishError("usage", "LINK is missing: the one with a code that you were given");
  if (more[0] !== undefined) throw new StarfishError("usage", `'${more[0]}' is one word too many`);
  await keepCompiled();
  const { receive } = await import("./receive.ts");
  return await receive({ link, directory, json: values.json ?? false });
}

function say(text: string): number {
  process.stdout.write(text);
  return EXIT.ok;
}

function parse<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  let parsed: ReturnType<typeof parseArgs<T>>;
  try {
    parsed = parseArgs(config);
  } catch (error) {
    throw new StarfishError("usage", usageWords(error), { cause: error });
  }
  // An empty value comes from an unset variable of some script. As a host it would even mean every address of this
  // machine.
  const empty = Object.entries(parsed.values).find(([option, value]) => value === "" && option !== "command");
  if (empty !== undefined) throw new StarfishError("usage", `--${empty[0]} needs a value`);
  return parsed;
}

/** The errors of Node's parser, in our words. */
function usageWords(error: unknown): string {
  const message = messageOf(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const [, option = ""] = /'(?:-\w, )?(-[^' ]*)/.exec(message) ?? [];
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") return `there is no option '${option}'; --help lists the options`;
  if (code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL") {
    const [, word = ""] = /argument '([^']*)'/.exec(message) ?? [];
    return `'${word}' is one word too many; --help says what is understood`;
  }
  if (code !== "ERR_PARSE_ARGS_INVALID_OPTION_VALUE") return message;
  return /does not take/.test(message) ? `${option} takes no value` : `${option} needs a value`;
}

function numberOf(text: string | undefined, option: string, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw new StarfishError("usage", `${option} must be a whole number from ${min} to ${max}, not '${text}'`);
  }
  return number;
}

function tlsOf(
  tls: string | undefined,
  certFile: string | undefined,
  keyFile: string | undefined,
): TlsChoice | undefined {
  if (tls !== undefined && tls !== "self") throw new StarfishError("usage", `--tls can only be 'self', not '${tls}'`);
  if (certFile === undefined && keyFile === undefined) return tls;
  if (tls !== undefined) throw new StarfishError("usage", "--tls self needs no --tls-cert and no --tls-key");
  if (certFile === undefined || keyFile === undefined) {
    throw new StarfishError("usage", "--tls-cert and --tls-key need each other");
  }
  return { certFile, keyFile };
}

function urlOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new StarfishError("usage", `--url must be a link like https://example.org/, not '${text}'`);
  }
  url.hash = "";
  return url.href;
}

// Output to a reader that has gone (`starfish sh -c peers | head -1`) is no fault: end as SIGPIPE would have it.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(EXIT.brokenPipe));

// Under an old Node.js the launcher (bin/starfish.mjs) is our parent. Without this, nobody could end us by the process
// id that they know.
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
process.channel?.unref();

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  print(
    process.stderr,
    `starfish: ${error instanceof StarfishError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = exitStatusOf(error);
}
// A resource that a library has left open must not keep a finished program alive.
process.stdout.write("", () => process.exit());

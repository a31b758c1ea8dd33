/**
 * The certificate with which the page is served over https: from files (`--tls-cert`, `--tls-key`), or one that the
 * node makes for itself (`--tls self`) and keeps in its data directory, so that browsers ask their users only once.
 */
import { X509Certificate, createPrivateKey } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import { messageOf, StarfishError } from "../core/base/errors.ts";

export type TlsChoice = "self" | { readonly certFile: string; readonly keyFile: string };

export interface TlsCertificate {
  readonly cert: string;
  readonly key: string;
  /** The certificate's names and IP addresses; wildcards too. */
  readonly names: readonly string[];
  /** SHA-256, as browsers show it. */
  readonly fingerprint: string;
}

/** Apple's devices accept no longer one. */
const LIFETIME_DAYS = 820;
/** A certificate that expires within this time is replaced. */
const RENEW_DAYS = 30;
const DAY_MS = 24 * 3_600_000;

/** Rejects with "usage" if the files are not a certificate and its key, or with "io". */
export async function loadCertificate(dataDir: string, choice: TlsChoice): Promise<TlsCertificate> {
  if (choice !== "self") {
    const [cert, key] = [await textOf(choice.certFile, "--tls-cert"), await textOf(choice.keyFile, "--tls-key")];
    return examine(cert, key, `${choice.certFile} and ${choice.keyFile}`);
  }
  const directory = join(dataDir, "tls");
  const [certFile, keyFile] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  const kept = await own(certFile, keyFile);
  if (kept !== undefined) return kept;
  const { cert, private: key } = await makeCertificate();
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // The certificate is written last, because it is looked for first.
  await writeWhole(keyFile, key);
  await writeWhole(certFile, cert);
  return examine(cert, key, certFile);
}

/** The certificate of an earlier start, unless it is missing or expires soon. */
async function own(certFile: string, keyFile: string): Promise<TlsCertificate | undefined> {
  try {
    const cert = await readFile(certFile, "utf8");
    if (Date.parse(new X509Certificate(cert).validTo) < Date.now() + RENEW_DAYS * DAY_MS) return undefined;
    return examine(cert, await readFile(keyFile, "utf8"), certFile);
  } catch {
    return undefined;
  }
}

async function makeCertificate(): Promise<{ cert: string; private: string }> {
  const { generate } = await import("selfsigned");
  const addresses = Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
  // Link-local addresses contain the name of an interface, which certificates can't.
  const ips = [...new Set(["127.0.0.1", "::1", ...addresses])].filter((ip) => !ip.includes("%"));
  const names = [...new Set(["localhost", hostname().toLowerCase()])].filter((name) => /^[a-z\d.-]+$/.test(name));
  const now = Date.now();
  return await generate([{ name: "commonName", value: "Starfish node" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    // The clock of another device may be behind.
    notBeforeDate: new Date(now - DAY_MS),
    notAfterDate: new Date(now + LIFETIME_DAYS * DAY_MS),
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          ...names.map((value) => ({ type: 2 as const, value })),
          ...ips.map((ip) => ({ type: 7 as const, ip })),
        ],
      },
    ],
  });
}

function examine(cert: string, key: string, where: string): TlsCertificate {
  try {
    const certificate = new X509Certificate(cert);
    if (!certificate.checkPrivateKey(createPrivateKey(key))) throw new Error("the key is another certificate's");
    return { cert, key, names: namesOf(certificate), fingerprint: certificate.fingerprint256 };
  } catch (error) {
    throw new StarfishError("usage", `No certificate and key in PEM form in ${where}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** "DNS:example.org, IP Address:10.0.0.7" */
function namesOf({ subjectAltName = "" }: X509Certificate): string[] {
  return [...subjectAltName.matchAll(/(?:DNS|IP Address):"?([^,"\s]+)/g)].map(([, name = ""]) => name.toLowerCase());
}

/** The name under which browsers find a page at this address whose certificate is for `names`. */
export function nameFor(address: string, names: readonly string[]): string {
  const isNamed = names.some((name) => isIP(name) !== 0 && name === address);
  const name = names.find((each) => isIP(each) === 0 && !each.includes("*") && each !== "localhost");
  return isNamed || name === undefined ? address : name;
}

async function textOf(file: string, option: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new StarfishError("usage", `${option} ${file}: ${messageOf(error)}`, { cause: error });
  }
}

async function writeWhole(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

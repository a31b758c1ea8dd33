/**
 * The page's Content-Security-Policy, in one place for both that send it: Vite writes it into the page (so that it
 * holds wherever the files are served from), and node/page.ts sends it as a header (which alone can forbid framing).
 *
 * No 'unsafe-inline' anywhere: ui/xterm-styles.ts lets xterm.js set its styles without it.
 */
const directives: readonly string[] = [
  "default-src 'none'",
  // 'wasm-unsafe-eval' only allows compiling WebAssembly, which tasks and the terminal's image decoder need.
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  // Pictures in the terminal are decoded from blobs.
  "img-src 'self' data: blob:",
  // Any node of the swarm may be dialled by WebSocket. WebRTC is not governed by this directive.
  "connect-src 'self' ws: wss:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
];

/** For `<meta http-equiv>`, where browsers do not accept frame-ancestors. */
export const CSP_META: string = directives.join("; ");

/** For the header. */
export const CSP_HEADER: string = [...directives, "frame-ancestors 'none'"].join("; ");

/**
 * The policy for pages of an app that a node serves beside its own (`up --app`). It allows everything that comes from
 * the node itself, any styles, and inline scripts with these hashes ("'sha256-…'"), which the node takes from the file.
 * So an app may be a single file, and a script that gets into the page with somebody's text does not run.
 */
export function appPolicy(hashes: readonly string[]): string {
  return [
    "default-src 'self'",
    ["script-src 'self' 'wasm-unsafe-eval'", ...hashes].join(" "),
    "worker-src 'self' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "media-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self' data: blob: ws: wss:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

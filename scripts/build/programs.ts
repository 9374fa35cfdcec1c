/** The two programs that are packed. */

export interface Program {
  readonly name: 'picket-agent' | 'picket-central';
  /** From the project's root. */
  readonly entry: string;
  /** Folders whose sources go into it; it is built anew when one of them changed. */
  readonly sources: readonly string[];
  /** Node's and V8's flags, which a packed program carries in itself. */
  readonly flags: readonly string[];
  /** Packages that the program never needs, with what stands in for each. */
  readonly standIns: Readonly<Record<string, string>>;
  /** Packages, and sources, that are embedded beside the main script and loaded when they are needed. */
  readonly apart: readonly string[];
  /** Whether it carries the pages. */
  readonly pages: boolean;
}

/** Throws when it is used, not when it is loaded: MQTT.js loads all its transports, and takes TCP and TLS alone here. */
const absent = (name: string): string =>
  `module.exports = new Proxy(class {}, { get(_, key) { if (key === '__esModule' || typeof key === 'symbol') return undefined; return () => { throw new Error('${name} is not part of this program'); }; } });`;

const silentDebug = 'module.exports = () => Object.assign(() => {}, { enabled: false, extend: module.exports });';

/** Node's own streams are what `readable-stream` is a copy of. */
const ownStreams = "module.exports = require('node:stream');";

/** For what is asked for in vain on Linux anyway. */
const notFound = (name: string): string =>
  `throw Object.assign(new Error('${name} is not part of this program'), { code: 'MODULE_NOT_FOUND' });`;

const mqttStandIns: Readonly<Record<string, string>> = {
  ws: absent('ws'),
  socks: absent('socks'),
  'worker-timers': absent('worker-timers'),
  debug: silentDebug,
  'readable-stream': ownStreams,
};

export const programs: readonly Program[] = [
  {
    name: 'picket-agent',
    entry: 'agent/main.ts',
    sources: ['agent', 'shared'],
    // Measured on an agent-like program: 69 → 64 MB RSS, 21 → 16 MB private.
    flags: [
      '--max-semi-space-size=1',
      '--single-threaded-gc',
      '--v8-pool-size=0',
      '--max-old-space-size=48',
      // Node reads its 140 root certificates (2 MB) as soon as TLS is loaded; the agent trusts the CA that it pinned.
      '--use-openssl-ca',
      // That of agent/memory.ts is known; standard error is for the log.
      '--disable-warning=ExperimentalWarning',
    ],
    standIns: {
      ...mqttStandIns,
      'osx-temperature-sensor': notFound('osx-temperature-sensor'),
      'macos-temperature-sensor': notFound('macos-temperature-sensor'),
    },
    // For the inventory, in a child process.
    apart: ['systeminformation', 'yaml'],
    pages: false,
  },
  {
    name: 'picket-central',
    entry: 'central/main.ts',
    sources: ['central', 'shared'],
    // The bound makes it end with a clear error before the machine swaps. Under a storm of payloads V8's own choice of
    // a young generation took 90 MB more, and as much time.
    flags: ['--max-old-space-size=1024', '--max-semi-space-size=4'],
    standIns: mqttStandIns,
    // The thread that trains has a script of its own.
    apart: ['central/train/thread/worker.ts'],
    pages: true,
  },
];

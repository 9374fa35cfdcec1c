/**
 * Certificates and how long they are still good for: in local files, shown by servers, and the CA that the agent itself
 * has pinned.
 *
 * The OpenTelemetry collector's TLS check receiver: `tlscheck.time_left` with `tlscheck.target` and `tlscheck.x509.cn`.
 * Below zero it has expired. Whether a target answers is the state `tlscheck.answers`; of one that does not there is no
 * value. The issuer is no attribute: it changes with many a renewal, and the series is the same.
 */
import type { X509Certificate } from 'node:crypto';
import type { Instant } from '../../shared/clock.ts';
import type { ValueOf } from '../../shared/config/schema.ts';
import { boolean, duration, listOf, object, string } from '../../shared/config/types.ts';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { Quality, type SeriesKey } from '../../shared/series.ts';
import { certificatesOf } from './certificates/endpoint.ts';
import { certificatesIn, filesOf, readCertificates } from './certificates/local.ts';
import type { Host, Input, InputKind, SampleSink } from './input.ts';

const MOST_FILES = 64;
const MOST_ENDPOINTS = 32;
const MOST_SERIES = 200;
/** Servers that are asked at once. */
const AT_ONCE = 8;
const DEADLINE_MS = 30_000;
/** What the pinned CA is called among the targets. */
const PINNED = 'picket-agent';
const ENDPOINT = /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):([0-9]{1,5})$/;

const config = object({
  doc: 'Certificates, and how long they are still good for.',
  keys: {
    interval: duration({ doc: 'How often they are looked at.', default: '1h', min: '1m', max: '1d' }),
    files: listOf({
      doc: 'Files with certificates (PEM, one or many, or DER); `*` stands for any text within a name.',
      of: string({ doc: 'A path.', pattern: /^\//, values: 'an absolute path', maxLength: 255 }),
      max: MOST_FILES,
      default: [],
      example: ['/etc/letsencrypt/live/*/cert.pem'],
    }),
    endpoints: listOf({
      doc: 'Servers that speak TLS from the first byte. Their certificates are looked at; nothing is sent.',
      of: string({ doc: 'A server.', pattern: ENDPOINT, values: '`host:port`' }),
      max: MOST_ENDPOINTS,
      default: [],
      example: ['www.example.org:443'],
    }),
    timeout: duration({ doc: 'How long a server may take.', default: '5s', min: '100ms', max: '7s' }),
    own: boolean({ doc: 'The CA that this agent has pinned, too.', default: true }),
  },
});
type Config = ValueOf<typeof config>;

class CertificatesInput implements Input {
  readonly #settings: Config;
  readonly #host: Host;
  /** Series by target and name, and whether they were seen in this pass. */
  readonly #series = new Map<string, { readonly number: number; readonly target: string; seen: boolean }>();

  constructor(settings: Config, host: Host) {
    this.#settings = settings;
    this.#host = host;
  }

  async read(now: Instant, sink: SampleSink, signal: AbortSignal): Promise<void> {
    for (const each of this.#series.values()) each.seen = false;
    const problems: unknown[] = [];
    const tasks = [...(await this.#files()), ...this.#endpoints(signal)];
    // An enrolment that cannot be read is said by whoever connects with it.
    const pinned = this.#settings.own ? await this.#host.pinnedCa?.().catch(() => null) : null;
    if (typeof pinned === 'string')
      tasks.push([PINNED, async () => certificatesIn(Buffer.from(pinned), 'the pinned CA')]);
    const answered = new Set<string>();
    for (let i = 0; i < tasks.length; i += AT_ONCE) {
      await Promise.all(
        tasks.slice(i, i + AT_ONCE).map(async ([target, ask]) => {
          try {
            const chain = await ask();
            if (signal.aborted) return;
            answered.add(target);
            this.#put(target, chain, now, sink);
            sink.state(answersKey(target), 'yes', now);
          } catch (error) {
            if (signal.aborted) return;
            problems.push(error);
            sink.state(answersKey(target), 'no', now);
          }
        }),
      );
      if (signal.aborted) return;
    }
    for (const [key, { number, target, seen }] of this.#series) {
      if (seen) continue;
      // Of a target that answers with others, it is gone; of one that does not answer nothing is known.
      if (!answered.has(target) && tasks.some(([known]) => known === target)) sink.put(number, Number.NaN, Quality.bad);
      else {
        sink.forget(number);
        this.#series.delete(key);
      }
    }
    // With nothing to look at any more it is a failure; one server of several is told by its state.
    if (problems.length > 0 && problems.length === tasks.length) throw failure(problems[0]);
  }

  async close(): Promise<void> {}

  async #files(): Promise<[target: string, ask: () => Promise<readonly X509Certificate[]>][]> {
    const root = this.#host.root.replace(/\/$/, '');
    const found: string[] = [];
    for (const pattern of this.#settings.files) {
      found.push(...(await filesOf(root, pattern, MOST_FILES - Math.min(MOST_FILES, found.length))));
    }
    return [...new Set(found)].map((path) => [path, () => readCertificates(`${root}${path}`)]);
  }

  #endpoints(signal: AbortSignal): [target: string, ask: () => Promise<readonly X509Certificate[]>][] {
    return this.#settings.endpoints.map((endpoint) => {
      const [, host = '', port = ''] = ENDPOINT.exec(endpoint) ?? [];
      const name = host.replace(/^\[|\]$/g, '');
      return [endpoint, () => certificatesOf(name, Number(port), this.#settings.timeout, signal)];
    });
  }

  #put(target: string, chain: readonly X509Certificate[], now: Instant, sink: SampleSink): void {
    /** Of certificates of one name the one that ends first. */
    const left = new Map<string, number>();
    for (const certificate of chain) {
      const name = commonName(certificate);
      const seconds = (Date.parse(certificate.validTo) - now.utcMs) / 1000;
      left.set(name, Math.min(left.get(name) ?? Number.POSITIVE_INFINITY, seconds));
    }
    for (const [name, seconds] of left) {
      const key = `${target}\n${name}`;
      let own = this.#series.get(key);
      if (own === undefined && this.#series.size < MOST_SERIES) {
        const number = sink.series({
          name: 'tlscheck.time_left',
          unit: 's',
          attributes: { 'tlscheck.target': target, 'tlscheck.x509.cn': name },
          kind: 'gauge',
          steady: true,
          countdown: true,
        });
        own = { number, target, seen: true };
        this.#series.set(key, own);
      }
      if (own === undefined) continue;
      own.seen = true;
      sink.put(own.number, seconds);
    }
  }
}

/** The subject's common name; else its first other name, so that two of one file are told apart. */
function commonName({ subject, subjectAltName }: X509Certificate): string {
  // Node gives a line for each part, and no subject at all where it is empty.
  const common = /^CN=(.+)$/m.exec(subject ?? '')?.[1];
  const name = common ?? subjectAltName?.split(',')[0] ?? '';
  return name.replace(/\p{Cc}/gu, ' ').slice(0, 128);
}

function answersKey(target: string): SeriesKey {
  return { name: 'tlscheck.answers', unit: '', attributes: { 'tlscheck.target': target } };
}

function failure(error: unknown): PicketError {
  return error instanceof PicketError ? error : new PicketError('input.failed', messageOf(error), {}, error);
}

export const certificates: InputKind<Config> = {
  doc: 'How long certificates are still good for: in files, of servers, and the CA that the agent has pinned.',
  config,
  automatic: (host) => host.pinnedCa !== undefined,
  timing: ({ interval }) => ({ intervalMs: interval, deadlineMs: Math.min(interval, DEADLINE_MS) }),
  open: async (settings: Config, host: Host) => new CertificatesInput(settings, host),
};

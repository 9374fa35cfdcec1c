/**
 * Trades a token for an identity, over HTTP once. Beyond loopback it is HTTPS, with the CA pinned by the fingerprint
 * that came with the token: the CA is fetched over a connection that is trusted with nothing, held against the
 * fingerprint, and only what it signed is told the token.
 */
import { X509Certificate } from 'node:crypto';
import type http from 'node:http';
import { isLoopback } from '../shared/address.ts';
import { type ErrorCode, errorTable, messageOf, PicketError } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import { type Enrolment, type EnrolmentRequest, parseEnrolment } from '../shared/trust/enrolment.ts';

const timeoutMs = 15_000;

/**
 * Enrols at `https://host:port` (or `http` on loopback); a bare `host:port` means `https`, on loopback `http`.
 * Throws `usage.invalid`, `ca.mismatch`, `token.invalid` or another code that the central answers, `central.unreachable`
 * where nothing answers.
 */
export async function enrolAt(
  address: string,
  fingerprint: string | undefined,
  request: EnrolmentRequest,
  signal?: AbortSignal,
): Promise<Enrolment> {
  const base = parseEnrolAddress(address, fingerprint);
  const wanted = fingerprint === undefined ? null : parseFingerprint(fingerprint);
  const ca = base.protocol === 'https:' && wanted !== null ? await fetchCa(base, wanted, signal) : null;
  const answer = await ask(base, '/api/v1/enrol', { method: 'POST', body: JSON.stringify(request), ca, signal });
  const json = parseJson(answer.body, base);
  if (answer.status !== 200) throw refusal(answer.status, json, base);
  return parseEnrolment(json, `the answer of ${base.origin}`);
}

function parseEnrolAddress(address: string, fingerprint: string | undefined): URL {
  const bare = address.replace(/\/+$/, '');
  const hasScheme = /^[a-z]+:\/\//.test(bare);
  const guess = `http://${bare}`;
  const plain = !hasScheme && fingerprint === undefined && URL.canParse(guess) && isLoopback(hostOf(new URL(guess)));
  const full = hasScheme ? bare : `${plain ? 'http' : 'https'}://${bare}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.pathname !== '/' ||
    url.search !== '' ||
    url.username !== ''
  ) {
    throw new PicketError(
      'usage.invalid',
      `\`${address.slice(0, 100)}\` is not the address of a central, such as \`https://central.example:7070\`.`,
    );
  }
  if (url.protocol === 'http:' && !isLoopback(hostOf(url))) {
    throw new PicketError(
      'usage.invalid',
      `${url.origin} would carry the token in the clear: use https:// and --ca-fingerprint.`,
    );
  }
  return url;
}

/** Without the brackets of IPv6. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** Hex of SHA-256, lower case; colons and a leading `sha256:` are allowed. */
function parseFingerprint(text: string): string {
  const hex = text
    .replace(/^sha-?256[:=]?/i, '')
    .replaceAll(':', '')
    .toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return hex;
  throw new PicketError('usage.invalid', 'the CA fingerprint is not the 64 hex digits of a SHA-256.');
}

async function fetchCa(base: URL, wanted: string, signal: AbortSignal | undefined): Promise<string> {
  const answer = await ask(base, '/api/v1/ca', { method: 'GET', ca: 'any', signal });
  const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(answer.body)?.[0];
  if (answer.status !== 200 || pem === undefined) {
    throw new PicketError(
      'ca.mismatch',
      `${base.origin} does not tell its CA (status ${answer.status}); is it a Picket central?`,
    );
  }
  let found: string;
  try {
    found = new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
  } catch (error) {
    throw new PicketError('ca.mismatch', `what ${base.origin} calls its CA is no certificate.`, {}, error);
  }
  if (found !== wanted) {
    throw new PicketError(
      'ca.mismatch',
      `the CA of ${base.origin} has the fingerprint ${found}, wanted is ${wanted}; the token was not sent.`,
    );
  }
  return `${pem}\n`;
}

interface Question {
  readonly method: 'GET' | 'POST';
  readonly body?: string;
  /** PEM: only what it signed. `any`: trusted with nothing, for fetching the CA. Null: what the system trusts. */
  readonly ca: string | 'any' | null;
  readonly signal: AbortSignal | undefined;
}

function ask(
  base: URL,
  path: string,
  { method, body, ca, signal }: Question,
): Promise<{ status: number; body: string }> {
  const url = new URL(path, base);
  const headers =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const deadline = AbortSignal.timeout(timeoutMs);
  const common = {
    method,
    headers,
    agent: false as const,
    signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
  };
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(networkError(error, base, deadline.aborted));
    const request = requestOf(url, common, ca);
    request.on('error', fail);
    request.on('response', (response) => {
      const parts: Buffer[] = [];
      let length = 0;
      response.on('error', fail);
      response.on('data', (part: Buffer) => {
        length += part.length;
        parts.push(part);
        // Bounded while it comes: the other side may never end.
        if (length > limits.payloadBytes) {
          request.destroy();
          reject(
            new PicketError(
              'payload.too_large',
              `${base.origin} answered with more than ${limits.payloadBytes} bytes; is it a Picket central?`,
            ),
          );
        }
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }),
      );
    });
    request.end(body);
  });
}

/** HTTP and TLS are loaded when they are asked for: TLS brings two megabytes of root certificates along. */
function requestOf(url: URL, options: http.RequestOptions, ca: Question['ca']): http.ClientRequest {
  if (url.protocol !== 'https:') return process.getBuiltinModule('node:http').request(url, options);
  const trust = ca === 'any' ? { rejectUnauthorized: false } : { ca: ca ?? publicAuthorities() };
  return process.getBuiltinModule('node:https').request(url, { ...options, ...trust });
}

/** Said in full, as the executable runs without Node's own store (scripts/build/programs.ts). */
function publicAuthorities(): string[] {
  const { getCACertificates } = process.getBuiltinModule('node:tls');
  return [...getCACertificates('bundled'), ...getCACertificates('system'), ...getCACertificates('extra')];
}

/** Node's and OpenSSL's codes of a certificate that is not what was pinned. */
const certificateCodes = /CERT|SIGNATURE|ISSUER|ALTNAME|SELF_SIGNED|CA_/;

function networkError(error: unknown, base: URL, late: boolean): PicketError {
  const code = String((error as NodeJS.ErrnoException).code ?? '');
  if (certificateCodes.test(code)) {
    const way =
      code === 'ERR_TLS_CERT_ALTNAME_INVALID'
        ? 'use the name or address that the certificate has (`publicUrl` of the central).'
        : 'give --ca-fingerprint as `picket-central enroll` prints it.';
    return new PicketError(
      'ca.mismatch',
      `the certificate of ${base.origin} is not trusted (${messageOf(error)}): ${way}`,
      {},
      error,
    );
  }
  const why = late ? `no answer within ${timeoutMs / 1000} s` : messageOf(error) || code;
  return new PicketError('central.unreachable', `the central at ${base.origin} cannot be reached: ${why}.`, {}, error);
}

function parseJson(text: string, base: URL): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PicketError(
      'payload.invalid',
      `${base.origin} did not answer with JSON; is it a Picket central?`,
      {},
      error,
    );
  }
}

/** The central's own error (RFC 9457), with its code where it is one of ours. */
function refusal(status: number, json: unknown, base: URL): PicketError {
  const problem = (typeof json === 'object' && json !== null ? json : {}) as {
    code?: unknown;
    detail?: unknown;
    title?: unknown;
  };
  const known = typeof problem.code === 'string' && Object.hasOwn(errorTable, problem.code);
  const code = known
    ? (problem.code as ErrorCode)
    : status === 403
      ? 'token.invalid'
      : status === 429
        ? 'auth.throttled'
        : 'payload.invalid';
  const text = [problem.detail, problem.title].find((part) => typeof part === 'string') ?? `status ${status}`;
  return new PicketError(
    code,
    `${base.origin} refused the enrolment: ${String(text).replace(/\s+/g, ' ').slice(0, 300)}`,
  );
}

/**
 * TLS of the central: a CA of its own, made at the first start, with a server certificate that renews itself; or the
 * certificates that the operator brings. Private keys stay in the directory, files 0600: nothing here hands them to
 * anybody but the listeners of this process.
 *
 *     DATA/tls/ca.key  ca.pem        the CA, P-256, ten years; its fingerprint is what agents pin
 *     DATA/tls/server.key  server.pem  the server, 397 days, renewed 60 days before its end or when the hosts change
 */
import { createHash, X509Certificate } from 'node:crypto';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { PicketError } from '../shared/errors.ts';
import { DAY_MS } from '../shared/limits.ts';
import { certificateFits, issueCertificate, makeCa, type PemPair } from './certificates.ts';

/** What the listeners need, and what agents pin. */
export interface TlsMaterial {
  readonly key: string;
  /** The certificate with its chain. */
  readonly cert: string;
  /** The CA that agents pin. */
  readonly ca: string;
  /** SHA-256 of the CA's DER, 64 hex digits. */
  readonly fingerprint: string;
  readonly notAfterMs: number;
}

export interface TlsKeeper {
  current(): TlsMaterial;
  /** Renews the server's certificate if it is due; true when there is a new one for the listeners. Call it daily. */
  renewIfDue(): Promise<boolean>;
}

export interface OwnTlsOptions {
  /** `DATA/tls`; made when it is not there. */
  readonly directory: string;
  /** Names and addresses under which the central is reached; localhost and loopback addresses are added. */
  readonly hosts: readonly string[];
  readonly nowMs: () => number;
}

const RENEW_BEFORE_MS = 60 * DAY_MS;
/** A PEM file of a certificate chain or a key. */
const MAX_PEM_BYTES = 256 * 1024;
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '::1'];

/**
 * Opens the central's own CA and server certificate, and makes what is missing. Throws `config.unreadable` when a file
 * is there and cannot be read: a CA is never replaced in silence, every agent has pinned it.
 */
export async function openOwnTls(options: OwnTlsOptions): Promise<TlsKeeper> {
  const { directory, nowMs } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const hosts = [...new Set([...options.hosts, ...LOOPBACK_NAMES])];
  const caFiles = { key: join(directory, 'ca.key'), cert: join(directory, 'ca.pem') };
  const serverFiles = { key: join(directory, 'server.key'), cert: join(directory, 'server.pem') };

  let ca = await readPair(caFiles);
  if (ca === null) {
    ca = await makeCa(nowMs());
    await writePair(caFiles, ca);
  }
  const { key: caKey, cert: caPem } = ca;
  const fingerprint = fingerprintOf(caPem);
  const issue = async (): Promise<PemPair> => {
    const issued = await issueCertificate({ key: caKey, cert: caPem }, hosts, nowMs());
    await writePair(serverFiles, issued);
    return issued;
  };
  const fits = (pair: PemPair): boolean => certificateFits(pair, caPem, hosts, nowMs() + RENEW_BEFORE_MS, nowMs());

  let server = await readPair(serverFiles).catch(() => null);
  if (server === null || !fits(server)) server = await issue();
  let material = materialOf(server);

  function materialOf(pair: PemPair): TlsMaterial {
    const notAfterMs = Date.parse(new X509Certificate(pair.cert).validTo);
    return { key: pair.key, cert: pair.cert + caPem, ca: caPem, fingerprint, notAfterMs };
  }

  return {
    current: () => material,
    async renewIfDue() {
      const pair = { key: material.key, cert: material.cert };
      if (fits(pair)) return false;
      material = materialOf(await issue());
      return true;
    },
  };
}

export interface OperatorTlsOptions {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** PEM of the CA that agents pin; when absent the last certificate of the chain. */
  readonly caFile?: string;
}

/**
 * Opens the operator's certificates; `renewIfDue` reads them again and says whether they changed. Throws
 * `config.unreadable` for a file that cannot be read, `config.invalid` for a key that is not the certificate's.
 */
export async function openOperatorTls(options: OperatorTlsOptions): Promise<TlsKeeper> {
  const read = async (): Promise<TlsMaterial> => {
    const [key, cert] = [await readPem(options.keyFile), await readPem(options.certificateFile)];
    const chain = certificatesOf(cert);
    const ca = options.caFile === undefined ? chain.at(-1) : certificatesOf(await readPem(options.caFile))[0];
    if (chain[0] === undefined || ca === undefined) {
      throw new PicketError('config.invalid', `${options.certificateFile} or the CA's file holds no certificate.`);
    }
    if (!certificateFits({ key, cert: chain[0] })) {
      throw new PicketError('config.invalid', `${options.keyFile} is not the key of ${options.certificateFile}.`);
    }
    const notAfterMs = Date.parse(new X509Certificate(chain[0]).validTo);
    return { key, cert, ca, fingerprint: fingerprintOf(ca), notAfterMs };
  };
  let material = await read();
  return {
    current: () => material,
    async renewIfDue() {
      const now = await read();
      if (now.cert === material.cert && now.key === material.key) return false;
      material = now;
      return true;
    },
  };
}

/**
 * Names and addresses for the certificate of a server that listens there: the host itself, or, for a wildcard address,
 * the machine's name and all its addresses but link-local ones.
 */
export function hostsOfListener(host: string): readonly string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host];
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return [hostname(), ...addresses.map(({ address }) => address).filter((address) => !address.startsWith('fe80:'))];
}

/** SHA-256 of a certificate's DER, 64 hex digits. */
export function fingerprintOf(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
}

function certificatesOf(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\r?\n?/g) ?? [];
}

async function readPem(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > MAX_PEM_BYTES) throw new Error(`it has ${bytes.length} bytes`);
    return bytes.toString('utf8');
  } catch (cause) {
    throw new PicketError(
      'config.unreadable',
      `${file} cannot be read as PEM: ${(cause as Error).message}.`,
      {},
      cause,
    );
  }
}

/** Null when neither file is there. Throws `config.unreadable` when one is, or when they are not a pair. */
async function readPair(files: PemPair): Promise<PemPair | null> {
  // The key is written first, so that a key without a certificate is a start that was cut off: begin again.
  if (await isMissing(files.cert)) return null;
  const pair = { key: await readPem(files.key), cert: await readPem(files.cert) };
  if (!certificateFits(pair)) {
    throw new PicketError('config.unreadable', `${files.key} is not the key of ${files.cert}; restore both.`);
  }
  return pair;
}

async function isMissing(file: string): Promise<boolean> {
  return stat(file).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
}

async function writePair(files: PemPair, pair: PemPair): Promise<void> {
  await writeDurably(files.key, pair.key);
  await writeDurably(files.cert, pair.cert);
}

async function writeDurably(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

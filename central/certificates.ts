/** Makes and checks X.509 certificates (RFC 5280): a CA, and servers that it vouches for. Everything is P-256. */
import './reflect.ts';
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { DAY_MS } from '../shared/limits.ts';

const CA_DAYS = 3650;
/** The longest that browsers take (CA/Browser Forum ballot SC-31 and its successors allow 398 for what is pinned). */
const SERVER_DAYS = 397;
/** Machines whose clock is behind must be able to believe a certificate that is new. */
const BACKDATED_MS = 2 * DAY_MS;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

export interface PemPair {
  readonly key: string;
  readonly cert: string;
}

/** A CA that may sign servers and no further CA. */
export async function makeCa(nowMs: number): Promise<PemPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const id = Buffer.from(webcrypto.getRandomValues(new Uint8Array(4))).toString('hex');
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=Picket CA ${id}`,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + CA_DAYS * DAY_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { key: await keyPem(keys.privateKey), cert: `${certificate.toString('pem')}\n` };
}

/** A server's certificate for these names and addresses, with a key of its own. */
export async function issueCertificate(ca: PemPair, hosts: readonly string[], nowMs: number): Promise<PemPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(ca.cert);
  const names = hosts.map((host) => ({ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }) as const);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: 'CN=Picket central',
    issuer: issuer.subjectName,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(Math.min(nowMs + SERVER_DAYS * DAY_MS - BACKDATED_MS, issuer.notAfter.getTime())),
    publicKey: keys.publicKey,
    signingKey: await importKey(ca.key),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([SERVER_AUTH]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { key: await keyPem(keys.privateKey), cert: `${certificate.toString('pem')}\n` };
}

/** True when key and certificate belong together and, where the rest is given, it is of the CA, for all hosts, valid then. */
export function certificateFits(
  pair: PemPair,
  caPem?: string,
  hosts: readonly string[] = [],
  untilMs?: number,
  fromMs?: number,
): boolean {
  try {
    const certificate = new X509Certificate(pair.cert);
    if (!certificate.checkPrivateKey(createPrivateKey(pair.key))) return false;
    if (caPem !== undefined && !certificate.verify(new X509Certificate(caPem).publicKey)) return false;
    if (untilMs !== undefined && Date.parse(certificate.validTo) < untilMs) return false;
    if (fromMs !== undefined && Date.parse(certificate.validFrom) > fromMs) return false;
    return hosts.every(
      (host) => (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined,
    );
  } catch {
    return false;
  }
}

/** 127 random bits, positive (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return `-----BEGIN PRIVATE KEY-----\n${der.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', new Uint8Array(der), ALGORITHM, false, ['sign']);
}

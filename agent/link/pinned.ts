/**
 * A certificate whose dates do not fit this machine's clock. The clock may say 1970, or be a year ahead, and the
 * machine must reach its central all the same: its central is the one that the pinned CA signed for this host. The
 * certificate has expired when the latest time that was ever heard from the central is behind its end (design,
 * "Dating"); that it is not valid yet nobody can say who has no time.
 *
 * OpenSSL tells of one problem alone, so that nothing else is taken as checked: chain, host, purpose are looked at here.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';

const DATE_PROBLEMS: ReadonlySet<string> = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED']);
const LONGEST_CHAIN = 8;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** What speaks against the server behind a socket that was not authorized; null where its dates alone did. */
export function problemBesideDates(
  socket: TLSSocket,
  host: string,
  ca: string,
  latestCentralMs: number | null,
): Error | null {
  const told = socket.authorizationError as Error | string | null;
  const code = typeof told === 'string' ? told : ((told as NodeJS.ErrnoException | null)?.code ?? '');
  const refused = new Error(`the broker's certificate is refused: ${code === '' ? 'unknown' : code}`);
  const leaf = socket.getPeerX509Certificate();
  if (!DATE_PROBLEMS.has(code) || leaf === undefined) return refused;
  const named = isIP(host) === 0 ? leaf.checkHost(host, { subject: 'never' }) : leaf.checkIP(host);
  if (named === undefined) return new Error(`the broker's certificate is not for ${host}`);
  const chain = chainTo(leaf, ca);
  if (chain === null) return new Error("the broker's certificate is not of the pinned CA");
  if (leaf.keyUsage !== undefined && !leaf.keyUsage.includes(SERVER_AUTH)) {
    return new Error("the broker's certificate is not for a server");
  }
  const expired = chain.find(({ validTo }) => latestCentralMs !== null && Date.parse(validTo) < latestCentralMs);
  return expired === undefined ? null : new Error(`the broker's certificate expired on ${expired.validTo}`);
}

/** The certificates from a leaf up to the pinned CA that signed them; null where it did not. */
export function chainTo(leaf: X509Certificate, ca: string): readonly X509Certificate[] | null {
  const pinned = (ca.match(PEM) ?? []).map((pem) => new X509Certificate(pem));
  const chain = [leaf];
  for (let current = leaf; chain.length <= LONGEST_CHAIN; ) {
    const issuer = pinned.find((one) => one.ca && isSignedBy(current, one));
    if (issuer !== undefined) return [...chain, issuer];
    const next = current.issuerCertificate;
    if (next === undefined || next.fingerprint256 === current.fingerprint256) return null;
    if (!next.ca || !isSignedBy(current, next)) return null;
    chain.push(next);
    current = next;
  }
  return null;
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** The certificates that a server shows. Nothing is trusted and nothing sent: only their dates are looked at. */
import type { X509Certificate } from 'node:crypto';
import { PicketError } from '../../../shared/errors.ts';

/** Chains are three long; what a hostile server makes longer is not followed. */
const LONGEST_CHAIN = 8;

/**
 * Connects by TLS and takes the chain, the server's own first. Rejects with `input.failed` on no answer in time.
 * @param signal ends it at once
 */
export async function certificatesOf(
  host: string,
  port: number,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<readonly X509Certificate[]> {
  // Loaded when there is a server to ask: on many machines there is none.
  const [{ connect }, { isIP }] = await Promise.all([import('node:tls'), import('node:net')]);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      // A certificate that is over, or of nobody whom we know, is what is looked for.
      rejectUnauthorized: false,
    });
    const end = (problem: string | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      socket.destroy();
      if (problem !== null) reject(new PicketError('input.failed', `${host}:${port}: ${problem}`));
    };
    const aborted = (): void => end('it was asked no longer');
    const timer = setTimeout(() => end(`no TLS within ${deadlineMs} ms`), deadlineMs);
    signal.addEventListener('abort', aborted);
    socket.on('error', ({ message }) => end(message));
    socket.on('secureConnect', () => {
      const chain: X509Certificate[] = [];
      let next = socket.getPeerX509Certificate();
      while (next !== undefined && chain.length < LONGEST_CHAIN) {
        chain.push(next);
        next = next.issuerCertificate;
      }
      if (chain.length === 0) return end('it showed no certificate');
      end(null);
      resolve(chain);
    });
    if (signal.aborted) aborted();
  });
}

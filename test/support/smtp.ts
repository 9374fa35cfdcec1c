/** A real SMTP server (Debian's python3-aiosmtpd) that asks for STARTTLS and a password, and keeps what it takes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openOwnTls } from '../../central/ca.ts';
import { type Program, until } from './processes.ts';
import { freePort, type System } from './system.ts';

const SERVER = `
import sys, ssl, time, os, threading
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
port, box, cert, key = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
count = 0
class Keep:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('nobody@'):
            return '550 5.1.1 no such user'
        envelope.rcpt_tos.append(address)
        return '250 OK'
    async def handle_DATA(self, server, session, envelope):
        global count
        if os.path.exists(os.path.join(box, 'busy')):
            return '451 4.3.2 come back later'
        count += 1
        name = os.path.join(box, '%06d' % count)
        with open(name + '.tmp', 'wb') as file:
            file.write(('X-Rcpt: ' + ', '.join(envelope.rcpt_tos) + '\\r\\n').encode())
            file.write(envelope.original_content)
        os.rename(name + '.tmp', name + '.eml')
        return '250 2.0.0 kept as %d' % count
def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b'picket' and data.password == b'mail secret', handled=False)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(cert, key)
server = Controller(Keep(), hostname='127.0.0.1', port=port, tls_context=context, require_starttls=True,
                    authenticator=authenticate, auth_required=True, auth_require_tls=True)
server.start()
print('ready', flush=True)
threading.Event().wait()
`;

export interface Mail {
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export class SmtpServer {
  readonly port: number;
  /** PEM file of the CA that its certificate is from. */
  readonly ca: string;
  readonly box: string;
  readonly #system: System;
  readonly #command: readonly string[];
  #program: Program | null = null;

  private constructor(system: System, port: number, ca: string, box: string, command: readonly string[]) {
    this.#system = system;
    this.port = port;
    this.ca = ca;
    this.box = box;
    this.#command = command;
  }

  static async prepare(system: System, name = 'smtp'): Promise<SmtpServer> {
    const port = await freePort();
    const directory = system.path(name);
    const box = system.path(name, 'box');
    const tls = (await openOwnTls({ directory, hosts: ['127.0.0.1'], nowMs: Date.now })).current();
    const ca = system.write(`${name}/only-ca.pem`, tls.ca);
    const files = [system.write(`${name}/cert.pem`, tls.cert), system.write(`${name}/key.pem`, tls.key)];
    const script = system.write(`${name}/server.py`, SERVER);
    return new SmtpServer(system, port, ca, box, ['/usr/bin/python3', script, String(port), box, ...files]);
  }

  async start(): Promise<void> {
    this.#program = this.#system.start('smtp', this.#command);
    await this.#program.said(/^ready/m);
  }

  async stop(): Promise<void> {
    await this.#program?.end('SIGKILL');
  }

  mails(): Mail[] {
    return readdirSync(this.box)
      .filter((name) => name.endsWith('.eml'))
      .sort()
      .map((name) => parseMail(readFileSync(join(this.box, name), 'utf8')));
  }

  /** Waits for so many. */
  async got(count: number, deadlineMs = 60_000): Promise<Mail[]> {
    return until(
      `${count} mails`,
      () => (this.mails().length >= count ? this.mails() : null),
      deadlineMs,
      () => this.mails().map(({ headers }) => headers.subject),
    );
  }
}

/** Headers unfolded, the text with quoted-printable undone. */
function parseMail(raw: string): Mail {
  const [head = '', ...body] = raw.split('\r\n\r\n');
  const headers: Record<string, string> = {};
  for (const line of head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const text = body.join('\r\n\r\n');
  if (headers['content-transfer-encoding'] !== 'quoted-printable') return { headers, text };
  const plain = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return { headers, text: Buffer.from(plain, 'latin1').toString('utf8') };
}

/** Mail over SMTP: plain text, one subject through a thread, and the headers that keep a thread together. */
import type { Transporter } from 'nodemailer';
import type { EmailConfig } from '../config.ts';
import { oneLine } from '../message.ts';
import { type Target, Undelivered } from './target.ts';

const PORTS = { starttls: 587, tls: 465, none: 25 } as const;

/** @param ca PEM; null: what the system trusts */
export function openEmail(config: EmailConfig, ca: string | null): Target {
  const { name, to, from, smtp } = config;
  const domain = from.slice(from.lastIndexOf('@') + 1);
  let transport: Transporter | null = null;

  /** Loaded when there is something to send: it takes megabytes. */
  const open = async (): Promise<Transporter> => {
    const { createTransport } = await import('nodemailer');
    transport ??= createTransport({
      host: smtp.host,
      port: smtp.port ?? PORTS[smtp.security],
      secure: smtp.security === 'tls',
      requireTLS: smtp.security === 'starttls',
      ignoreTLS: smtp.security === 'none',
      ...(smtp.user !== undefined && { auth: { user: smtp.user, pass: smtp.password ?? '' } }),
      tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(ca !== null && { ca }) },
      connectionTimeout: smtp.timeout,
      greetingTimeout: smtp.timeout,
      socketTimeout: smtp.timeout,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    return transport;
  };

  return {
    name,
    kind: 'email',
    where: `${to.length === 1 ? to[0] : `${to.length} addresses`} by ${smtp.host}`,
    async send({ subject, text, id, references, message, atMs }, signal) {
      const mailer = await open();
      const ids = references.map((one) => `<${one}@${domain}>`);
      const state = message.items.some(({ thread }) => thread.state === 'open') ? 'open' : 'closed';
      const sent = mailer.sendMail({
        from,
        to: [...to],
        subject: oneLine(ids.length === 0 ? subject : `Re: ${subject}`, 200),
        text,
        date: new Date(atMs),
        messageId: `<${id}@${domain}>`,
        ...(ids.length > 0 && { references: ids, inReplyTo: ids.at(-1)! }),
        // RFC 3834: so that no holiday notice answers it.
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Picket-State': state },
      });
      let stop = (): void => {};
      const ended = new Promise<never>((_, reject) => {
        stop = () => reject(new Undelivered('the central is ending'));
        signal.addEventListener('abort', stop, { once: true });
      });
      const answer = await Promise.race([sent, ended]).finally(() => signal.removeEventListener('abort', stop));
      const { accepted = [], rejected = [], response } = answer;
      if (accepted.length === 0) throw new Undelivered(`all addresses were refused: ${oneLine(String(response), 200)}`);
      const refused = rejected.length === 0 ? '' : `; refused for ${rejected.length} of ${to.length} addresses`;
      return `${oneLine(String(response), 200)}${refused}`;
    },
    close() {
      transport?.close();
    },
  };
}
